/* SPDX-License-Identifier: ISC */
/*
 * What a request asks for, whichever version it came in: the command, and the destination as an address
 * or as a canonical name. Serves the phases request and socks4.
 */
#include "src/session/session_private.h"

#include <string.h>

static void
slot_destination(struct session *s, const void *text, size_t len, uint16_t port)
{
    table_change_begin(s->slot);
    table_text(s->slot->destination, sizeof s->slot->destination, text, len);
    s->slot->dest_port = port;
    table_change_end(s->slot);
}

static void
set_address(struct session *s, const struct addr *address, uint16_t port)
{
    char text[ADDR_TEXT_MAX];

    s->setup->address = addr_unmap(address);
    s->setup->address.port = port;
    slot_destination(s, text, addr_format_ip(&s->setup->address, text), port);
}

static struct session_step
set_name(struct session *s, const void *name, size_t len, uint16_t port)
{
    struct addr address;
    const char *why = NULL;

    switch (name_canonical(name, len, s->setup->name, &address, &why)) {
    case NAME_OK:
        s->setup->address.port = port;
        slot_destination(s, s->setup->name, strlen(s->setup->name), port);
        return step_go(SESSION_DECIDE);
    case NAME_ADDRESS:
        s->setup->name[0] = '\0';
        set_address(s, &address, port);
        return step_go(SESSION_DECIDE);
    case NAME_BAD:
        break;
    }
    s->setup->name[0] = '\0';
    slot_destination(s, name, len, port);
    return step_refuse(s, REASON_BAD_NAME, SOCKS5_GENERAL_FAILURE, why);
}

static bool
available(const struct session *s, uint8_t command)
{
    const struct image_settings *settings = image_settings(s->host->image);

    switch (command) {
    case SOCKS_CONNECT: return true;
    case SOCKS_BIND: return settings->bind.enabled != 0;
    case SOCKS_UDP_ASSOCIATE: return settings->udp.enabled != 0;
    default: return false;
    }
}

struct session_step
session_request(struct session *s, uint8_t command, const struct addr *address, const void *name,
    size_t name_len)
{
    s->slot->command = command;
    if (!s->authenticated && s->host->requested != NULL)
        s->host->requested(s->host, s->id);
    if (!available(s, command))
        return step_refuse(s, REASON_BAD_COMMAND, SOCKS5_COMMAND_NOT_SUPPORTED, NULL);
    if (address->family == ADDR_NONE)
        return set_name(s, name, name_len, address->port);
    set_address(s, address, address->port);
    return step_go(SESSION_DECIDE);
}
