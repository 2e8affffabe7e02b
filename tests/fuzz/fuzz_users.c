/* SPDX-License-Identifier: ISC */
/* auth/userpass: any bytes as a password file. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "auth/userpass/userpass_table.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[512] = "";
    struct userpass_table *borrowed =
        userpass_table_load(data, size, false, "users", error, sizeof error);

    /* A complaint has its line; without one there is a table. */
    FUZZ_ASSERT((borrowed == NULL) == (strncmp(error, "users:", 6) == 0));
    FUZZ_ASSERT(strlen(error) < sizeof error);
    if (borrowed == NULL)
        return 0;
    struct userpass_table *kept = userpass_table_load(data, size, true, "users", error, sizeof error);

    FUZZ_ASSERT(kept != NULL && userpass_table_count(kept) == userpass_table_count(borrowed));
    FUZZ_ASSERT(userpass_table_find(kept, "no:body", 7) == NULL);
    userpass_table_free(&kept);
    userpass_table_free(&borrowed);
    return 0;
}
