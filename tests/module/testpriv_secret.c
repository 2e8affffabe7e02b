/* SPDX-License-Identifier: ISC */
/* testpriv in its pool; testpriv_wire.c has the protocol. Everybody is who they say that they are, if
   they know the phrase. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/secret.h"
#include "tests/module/testpriv.h"

#define CHALLENGE_SIZE 16

struct testpriv {
    char phrase[TESTPRIV_PHRASE_MAX + 1];
};

struct testpriv_state {
    char name[256]; /* "": the first round */
    uint8_t challenge[CHALLENGE_SIZE];
};

/* The phrase of this generation: the option's, or what the file holds. NULL: refused. */
static const char *
testpriv_phrase(const struct auth_config *config, const struct auth_files *files, char *copy)
{
    const char *file = config->value(config->ctx, "phrase-file", 0);
    size_t len = 0;

    if (file == NULL || file[0] == '\0')
        return config->value(config->ctx, "phrase", 0);
    const char *content = files->content(files->ctx, "phrase-file", &len);

    if (content == NULL || len == 0 || len > TESTPRIV_PHRASE_MAX || content[0] == '!')
        return NULL;
    memcpy(copy, content, len);
    return copy;
}

static void *
testpriv_open(const struct auth_config *config, const struct auth_files *files, char *error,
    size_t size)
{
    char copy[TESTPRIV_PHRASE_MAX + 1] = "";
    const char *phrase = testpriv_phrase(config, files, copy);
    struct testpriv *t;

    if (phrase == NULL || phrase[0] == '\0' || strlen(phrase) > TESTPRIV_PHRASE_MAX) {
        (void)snprintf(error, size, "phrase: 1 to %d characters", TESTPRIV_PHRASE_MAX);
        return NULL;
    }
    t = calloc(1, sizeof *t);
    if (t == NULL)
        (void)snprintf(error, size, "out of memory");
    else
        memcpy(t->phrase, phrase, strlen(phrase));
    return t;
}

static void
testpriv_close(void *module)
{
    free(module);
}

static void
challenge(struct testpriv_state *s, const void *in, size_t len, struct auth_step *out)
{
    if (len == 0 || len >= sizeof s->name || memchr(in, '\0', len) != NULL ||
        getrandom(s->challenge, sizeof s->challenge, 0) != sizeof s->challenge) {
        out->outcome = AUTH_FAILURE;
        out->reason = "malformed-name";
        return;
    }
    memcpy(s->name, in, len);
    memcpy(out->answer.data, s->challenge, sizeof s->challenge);
    out->answer.len = sizeof s->challenge;
    out->outcome = AUTH_CONTINUE;
}

static void
verdict(const struct testpriv *t, const struct testpriv_state *s, const char *mechanism,
    const void *in, size_t len, struct auth_step *out)
{
    const size_t phrase = strlen(t->phrase);
    uint8_t right[CHALLENGE_SIZE + TESTPRIV_PHRASE_MAX];

    for (size_t i = 0; i < phrase; i++)
        right[i] = (uint8_t)t->phrase[phrase - 1 - i];
    for (size_t i = 0; i < CHALLENGE_SIZE; i++)
        right[phrase + i] = s->challenge[CHALLENGE_SIZE - 1 - i];
    memcpy(out->identity->user, s->name, sizeof s->name);
    (void)snprintf(out->identity->mechanism, sizeof out->identity->mechanism, "%s",
        mechanism != NULL ? mechanism : "backwards");
    if (len == phrase + CHALLENGE_SIZE && secret_equal(in, right, len)) {
        out->outcome = AUTH_SUCCESS;
        return;
    }
    out->outcome = AUTH_FAILURE;
    out->reason = "wrong-response";
}

static void
testpriv_step(void *module, void *state, const struct auth_opening *opening, const void *in,
    size_t len, struct auth_step *out)
{
    struct testpriv_state *s = state;
    const struct auth_config *here = opening->config;

    if (s->name[0] == '\0')
        challenge(s, in, len, out);
    else
        verdict(module, s, here->value(here->ctx, "service", 0), in, len, out);
}

AUTH_SECRET_MODULE(testpriv) = {
    .version = TESTPRIV_VERSION,
    .name = "testpriv",
    .method = TESTPRIV_METHOD,
    .state_size = sizeof(struct testpriv_state),
    .config = { .pool = &testpriv_pool, .options = testpriv_options },
    .open = testpriv_open,
    .close = testpriv_close,
    .step = testpriv_step,
};
