# SPDX-License-Identifier: ISC
"""The points on which SOCKS servers differ, and the tests that hold ours to them: point, then
module: tests. A test that is renamed or goes away is missed here.

one byte at a time      test_negotiate: test_one_byte_per_segment, test_every_split_in_two
                        test_socks4: test_one_byte_at_a_time
                        test_bind: test_one_byte_at_a_time
pipelined client        test_negotiate: test_pipelined
                        test_relay: test_half_a_megabyte_behind_the_request
                        test_socks4: test_pipelined_payload
                        test_bind: test_what_the_client_sends_early
half-close, both ways   test_relay: test_client_half_closes_first, test_destination_half_closes_first
                        test_socks4: test_half_close_both_ways
replies 3, 4, 5         test_request: test_errno_to_reply, test_refused_connection, test_connect_timeout
                        test_names: test_failures
reply 2                 test_request: test_denied_by_rules
                        test_bind: test_refused_by_rule
                        test_udp: test_a_rule_without_udp
replies 7, 8            test_request: test_commands_that_are_not_served, test_unknown_address_types
                        test_bind: test_switched_off
                        test_udp: test_switched_off
request of another      test_request: test_request_of_another_version
version
no methods offered      test_negotiate: test_zero_methods, test_no_common_method
NUL in a name, user or  test_request: test_names_that_are_none
password                test_negotiate: test_login_that_must_fail
                        test_socks4: test_bad_names
                        test_udp: test_malformed_headers
BND filled in           test_request: test_bound_address_is_the_outgoing_socket, test_bound_address_ipv6
                        test_bind: test_two_replies
                        test_udp: test_there_and_back
BIND, a stranger comes  test_bind: test_strangers_are_closed_and_the_wait_goes_on, test_a_flood_of_strangers
                        test_bind4: test_a_stranger_ends_it
                        test_bind_gss: test_strangers
UDP fragments           test_udp_fragments: test_put_together, test_broken_sequences, test_every_wrong_order
UDP malformed           test_udp: test_malformed_headers, test_wrong_rsv
UDP, its TCP            test_udp: test_it_ends_with_its_connection
connection gone
UDP from another        test_udp: test_a_spoofed_source, test_a_hint_is_not_trusted
address of loopback     test_udp_gss: test_another_address_even_with_a_good_datagram
4A                      test_socks4: test_connect_by_name, test_every_marker_announces_a_name
                        test_clients4: test_curl
silent client           test_timeouts: test_client_that_stops_in_each_phase, test_a_slow_drip_does_not_extend_the_time
                        test_socks4: test_silent_client
01 FF on refusal        test_gss_login: test_broken_messages_are_refused
                        test_gss_levels: test_unknown_levels_are_refused
level 3, or one that    test_gss_levels: test_what_is_answered, test_none_is_not_agreed_unless_listed
is not allowed          test_udp_gss: test_there_and_back
unknown level           test_gss_levels: test_unknown_levels_are_refused
replayed, reordered,    test_gss_messages: test_order, test_a_replay_of_a_client_without_sequencing
missing messages        test_udp_gss: test_replayed_datagrams_are_dropped, test_overtaken_datagrams_are_relayed
                        test_udp_gss: test_lost_datagrams_are_harmless
a message at another    test_gss_messages: test_a_message_at_another_level
level                   test_udp_gss: test_integrity_is_not_enough_where_confidentiality_was_agreed
pipelined after a       test_gss_login: test_level_request_and_data_without_waiting
sealed request          test_gss_messages: test_500_messages_in_one_segment
request in two messages test_gss_messages: test_a_request_in_two_messages, test_a_request_octet_by_octet
data in the request's   test_gss_messages: test_payload_in_the_requests_message
message                 test_gss_messages: test_payload_of_full_size_in_the_requests_message
empty message first     test_gss_messages: test_empty_messages
token of 65,535 octets  test_gss_login: test_a_token_of_65535_octets_of_nothing, test_large_tokens
no mutual               test_gss_login: test_a_client_without_mutual_authentication_gets_an_empty_token
authentication
three-leg exchange      test_gss_login: test_three_legs
largest plaintext       test_gss_messages: test_the_largest_message
"""
import ast
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
ROW = re.compile(r"(test_\w+): (test_\w+(?:, test_\w+)*)$")


def functions_of(module):
    tree = ast.parse((HERE / f"{module}.py").read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_point_has_its_tests():
    rows = [found for line in __doc__.splitlines() if (found := ROW.search(line))]
    assert len(rows) == sum(": test_" in line for line in __doc__.splitlines())
    missing = [f"{module}: {name}" for module, names in (row.groups() for row in rows)
               for name in names.split(", ") if name not in functions_of(module)]
    assert not missing, missing
