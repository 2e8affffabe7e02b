/* SPDX-License-Identifier: ISC */
/* explain: which rule would decide, and what did not match in each one before it. Serves ctl_main.c. */
#include "src/ctl/ctl_policy.h"

#include <netdb.h>
#include <sys/socket.h>

#define ADDRESSES_MAX 64

struct explaining {
    const struct ctl_policy *policy;
    struct ctl_query query;
    bool allowed; /* one of the verdicts so far */
};

/* ---- one verdict ---- */

static void
print_step(void *ctx, const struct policy_step *step)
{
    const struct explaining *e = ctx;

    printf("  %3u  \"", (unsigned)step->rule + 1);
    ctl_print(stdout, policy_rule_title(e->policy->image, step->rule));
    if (step->failed == POLICY_MATCHES)
        puts("\": matches");
    else
        printf("\": %s does not match\n", policy_condition_key(step->failed));
}

static void
print_verdict(const struct explaining *e, const struct policy_verdict *v)
{
    char text[CTL_VERDICT_SIZE];

    ctl_verdict_text(e->policy->image, v, text, sizeof text);
    ctl_print(stdout, text);
    putchar('\n');
}

/* What no address could change is refused before one is known; then the audit has that rule. */
static void
print_early(const struct explaining *e, const struct policy_verdict *v)
{
    const bool by_name = e->query.q.name != NULL;
    struct policy_query query = e->query.q;
    struct policy_verdict early;
    char text[CTL_VERDICT_SIZE];

    query.address = (struct addr) { .family = ADDR_NONE };
    if ((!by_name && !query.bind_any) || !policy_refuses_any(e->policy->image, &query, &early)
        || early.rule == v->rule)
        return;
    ctl_verdict_text(e->policy->image, &early, text, sizeof text);
    printf("the gateway does not %s, since none could change it, and its audit says: ",
        by_name ? "ask for an address" : "wait for a peer");
    ctl_print(stdout, text);
    putchar('\n');
}

static void
explain_one(struct explaining *e)
{
    bool complete = true;
    struct policy_verdict v = policy_explain(e->policy->image, e->policy->own, &e->query.q, NULL, NULL,
        &complete);

    e->allowed = e->allowed || v.allowed;
    print_verdict(e, &v);
    (void)policy_explain(e->policy->image, e->policy->own, &e->query.q, print_step, e, &complete);
    print_early(e, &v);
    if (!complete)
        puts(e->query.q.name != NULL ? "the address of the name may change this: --resolve judges those it has now"
                                     : "the peer that connects may change this: --address judges one");
}

/* ---- every address of the name ---- */

static size_t
resolve(const char *name, struct addr *out, size_t most, int *code)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    size_t count = 0;

    *code = getaddrinfo(name, NULL, &hints, &list);
    if (*code != 0)
        return 0;
    for (const struct addrinfo *i = list; i != NULL && count < most; i = i->ai_next) {
        struct addr a = addr_from_sockaddr(i->ai_addr, i->ai_addrlen);

        a.port = 0;
        if (a.family != ADDR_NONE)
            out[count++] = a;
    }
    freeaddrinfo(list);
    return count;
}

static enum ctl_status
explain_addresses(struct explaining *e)
{
    struct addr addresses[ADDRESSES_MAX];
    char text[ADDR_TEXT_MAX];
    int code = 0;
    size_t count = resolve(e->query.name, addresses, ADDRESSES_MAX, &code);

    if (count == 0)
        return ctl_fail(CTL_UNJUDGED, "%s: %s", e->query.name, code != 0 ? gai_strerror(code) : "no address");
    for (size_t i = 0; i < count; i++) {
        e->query.q.address = addresses[i];
        addr_format_ip(&addresses[i], text);
        fputs(i > 0 ? "\n" : "", stdout);
        ctl_print(stdout, e->query.name);
        printf(" at %s: ", text);
        explain_one(e);
    }
    return e->allowed ? CTL_OK : CTL_FAILED;
}

/* ---- the command ---- */

static enum ctl_status
explain(struct ctl_policy *policy, const struct ctl_question *question, bool resolving)
{
    struct explaining e = { .policy = policy };
    char error[CTL_QUESTION_ERROR] = "";
    enum ctl_status status;

    if (ctl_query_make(policy->image, question, &e.query, error) < 0) {
        ctl_query_free(&e.query);
        return ctl_usage("explain: %s", error);
    }
    if (resolving && e.query.q.name != NULL && e.query.q.address.family == ADDR_NONE) {
        status = explain_addresses(&e);
    } else {
        explain_one(&e);
        status = e.allowed ? CTL_OK : CTL_FAILED;
    }
    ctl_query_free(&e.query);
    return status;
}

enum ctl_status
ctl_explain(struct ctl *ctl, const struct ctl_given *given)
{
    const struct ctl_question question = { .client = ctl_value(given, "client"),
        .user = ctl_value(given, "user"), .method = ctl_value(given, "method"),
        .protection = ctl_value(given, "protection"), .command = ctl_value(given, "command"),
        .to = ctl_value(given, "to"), .when = ctl_value(given, "when"),
        .address = ctl_value(given, "address"), .groups = given->list };
    struct ctl_policy policy;
    enum ctl_status status = ctl_policy_open(ctl, ctl_value(given, "config"), &policy);

    if (status != CTL_OK)
        return status;
    status = explain(&policy, &question, ctl_flag(given, "resolve"));
    ctl_policy_close(&policy);
    return status > CTL_FAILED ? status : ctl_judged(status);
}
