/* SPDX-License-Identifier: ISC */
#include "tests/unit/budget_rig.h"

#include <stdio.h>
#include <sys/socket.h>

uint8_t rig_data[RIG_DATA_MOST];
static uint8_t got[RIG_DATA_MOST];

int
budget_rig_begin(const char *timeouts, const char *limits)
{
    static char text[2048];

    assert_true(snprintf(text, sizeof text,
                    "methods = { \"none\", \"userpass\" }\n"
                    "listen \"127.0.0.1:1080\" { methods = { \"none\" } }\n"
                    "listen \"127.0.0.1:1081\" { methods = { \"userpass\" } }\n"
                    "userpass { file = \"/nonexistent/users\" }\ntimeouts { %s }\n"
                    "rule \"free\" { action = \"allow\" destination = { \"127.0.0.2/32\" } }\n"
                    "rule \"slow\" { action = \"allow\" destination = { \"127.0.0.1/32\" } %s }\n",
                    timeouts, limits) < (int)sizeof text);
    session_rig_begin(text);
    for (size_t i = 0; i < sizeof rig_data; i++)
        rig_data[i] = (uint8_t)(i * 7 + i / 256);
    return 0;
}

int
budget_rig_setup(void **state)
{
    (void)state;
    return budget_rig_begin("negotiate = 30", "bandwidth = \"80k\""); /* 10240 bytes an ask */
}

/* From the request on. */
int
rig_request(int fd, uint8_t last)
{
    uint8_t out[10] = { 5, 1, 0, 1, 127, 0, 0, last, (uint8_t)(rig.port >> 8), (uint8_t)rig.port };
    uint8_t in[10];

    session_rig_send(fd, out, sizeof out);
    if (last != 1)
        return -1;
    int target = session_rig_accept();

    session_rig_read(fd, in, sizeof in);
    assert_int_equal(in[1], 0);
    return target;
}

int
rig_relaying(uint64_t *id, int *target)
{
    uint8_t in[2];
    int fd = session_rig_client(0, id);

    session_rig_send(fd, "\x05\x01\x00", 3);
    session_rig_read(fd, in, 2);
    *target = rig_request(fd, 1);
    session_rig_turns(2);
    return fd;
}

void
rig_grant(uint32_t handle, uint32_t bytes)
{
    struct ipc_budget_grant g = { handle, bytes };

    budgets_grant(&rig.host.budgets, &g, 1);
}

/* How much has come to fd, after some turns. */
size_t
rig_arrived(int fd)
{
    size_t n = 0;
    ssize_t r;

    for (int quiet = 0; quiet < 20; quiet++) {
        session_rig_turns(2);
        while ((r = recv(fd, got, sizeof got, MSG_DONTWAIT)) > 0) {
            n += (size_t)r;
            quiet = 0;
        }
    }
    return n;
}

const struct ipc_budget_ask *
rig_last_ask(void)
{
    assert_true(rig.ask_count > 0);
    return &rig.asks[(rig.ask_count - 1) % RIG_ASKS_MAX];
}
