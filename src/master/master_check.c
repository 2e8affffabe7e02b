/* SPDX-License-Identifier: ISC */
/* -t and -T: looks at a configuration and starts nothing. Serves master_main.c. */
#include "src/master/master_control.h"
#include "src/master/master_private.h"

#include "src/config/config.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


/* What only the privileged side can see of a configuration: its users, and its files' owners. */
static int
check_environment(struct master *m)
{
    char error[512];

    m->users.privileged = geteuid() == 0;
    if (users_resolve(&m->users, m->settings, m->config.image, error, sizeof error) < 0
        || broker_check(m, error, sizeof error) < 0
        || folders_provide(m, m->config.image, false, error, sizeof error) < 0
        || control_check(m, error, sizeof error) < 0) {
        fprintf(stderr, "%s\n", error);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static int
print_config(const struct image *image)
{
    char *text = config_print(image);

    if (text == NULL || fputs(text, stdout) == EOF || fflush(stdout) == EOF) {
        log_error("printing the configuration: %s", strerror(errno));
        free(text);
        return EXIT_FAILURE;
    }
    free(text);
    return EXIT_SUCCESS;
}

int
check_configuration(struct master *m)
{
    int status = EXIT_SUCCESS;

    if (config_load(&m->options, &m->config) < 0)
        return EXIT_FAILURE;
    m->settings = image_settings(m->config.image);
    if (m->options.check)
        status = check_environment(m);
    if (m->options.print && status == EXIT_SUCCESS)
        status = print_config(m->config.image);
    if (m->options.check && status == EXIT_SUCCESS)
        fprintf(stderr, "%s: ok\n", m->options.config != NULL ? m->options.config : "built-in");
    compiled_free(&m->config);
    return status;
}
