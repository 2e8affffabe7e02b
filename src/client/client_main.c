/* SPDX-License-Identifier: ISC */
/* One session from the command line to its end. Serves src/sallyport.c. */
#include "src/client/client.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/secret.h"
#include "src/client/client_private.h"

/* Standard descriptors that are closed would become sockets. */
static int
main_descriptors(void)
{
    for (;;) {
        const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (fd < 0)
            return -1;
        if (fd > STDERR_FILENO)
            return close(fd);
    }
}

static enum client_status
main_session(const struct client_options *o, const struct client_secret *secret)
{
    struct client_wire w;
    struct socks5_answer answer;
    enum client_status status = client_wire_open(&w);

    if (status != CLIENT_OK)
        return status;
    status = client_dial(&w, o);
    if (status == CLIENT_OK)
        status = o->version == CLIENT_SOCKS5 ? client_negotiate(&w, o, secret) : CLIENT_OK;
    if (status == CLIENT_OK)
        status = client_request(&w, o, &answer);
    if (status == CLIENT_OK && o->command == SOCKS_BIND)
        status = client_bind(&w, o, &answer);
    if (status == CLIENT_OK)
        status = o->command == SOCKS_UDP_ASSOCIATE ? client_udp(&w, o, &answer) : client_join(&w);
    client_wire_close(&w);
    return status;
}

int
client_main(int argc, char **argv)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct client_options options;
    struct client_secret *secret = NULL;

    if (main_descriptors() != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0)
        return client_fail(CLIENT_BROKEN, "the standard descriptors cannot be opened");
    switch (client_options_read(&options, argc, argv)) {
    case CLIENT_OPTIONS_DONE:
        return CLIENT_OK;
    case CLIENT_OPTIONS_USAGE:
        return CLIENT_USAGE;
    default:
        break;
    }
#if !SP_SANITIZERS /* the leak check traces this process */
    if (secret_process() != 0)
        return client_fail(CLIENT_BROKEN, "this process cannot be kept out of cores");
#endif
    if (options.auth == SOCKS_METHOD_USERPASS && (secret = client_secret_get(&options)) == NULL)
        return CLIENT_LOGIN;
    const enum client_status status = main_session(&options, secret);

    client_secret_free(&secret);
    return status;
}
