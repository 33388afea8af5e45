/* Stores are loaded here, once, because every test is a process of its own. */
#include "tests/house/house.h"

#include "base/json.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* $VCUBE_BIN, or the command of the build that these tests belong to; absolute, because tests
 * change their folder. */
static void find_command(void)
{
    char path[PATH_MAX], command[PATH_MAX + 16];
    const char *given = getenv("VCUBE_BIN");
    if (given != NULL) {
        if (realpath(given, path) != NULL) setenv("VCUBE_BIN", path, 1);
        return;
    }
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0) return;
    path[size] = '\0';
    snprintf(command, sizeof command, "%s/vcube", dirname(dirname(path)));
    if (access(command, X_OK) == 0)
        setenv("VCUBE_BIN", command, 1);
    else
        fprintf(stderr, "there is no %s, and VCUBE_BIN is not set: the command is not tested\n",
                command);
}

int main(int argc, char **argv)
{
    char root[HOUSE_PATH];
    int code = 1;
    vc_json_setup();
    find_command();
    house_make_folder(root);
    setenv("VCUBE_HOUSE_STORES", root, 1);
    struct criterion_test_set *tests = criterion_initialize();
    if (!criterion_handle_args(argc, argv, true))
        code = 0;
    else if (house_load_fixtures(root))
        code = !criterion_run_all_tests(tests);
    criterion_finalize(tests);
    house_remove_folder(root);
    return code;
}
