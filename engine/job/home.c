// SPDX-License-Identifier: Apache-2.0
/*
 * Where configuration and state live on this machine: what the command line
 * says, else the environment, else the place that root or a user expects.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/io.h"
#include "engine/job/config.h"

/* The user's home folder, malloc'd: $HOME, else the password database. */
static char *user_home(struct err *e)
{
    const char *env = getenv("HOME");
    if (env != NULL && env[0] == '/')
        return io_format(e, "%s", env);

    struct passwd pw;
    struct passwd *found = NULL;
    AUTO_MEM char *text = malloc(16384);
    if (text == NULL) {
        (void)err_nomem(e);
        return NULL;
    }
    int r = getpwuid_r(geteuid(), &pw, text, 16384, &found);
    if (r != 0 || found == NULL || found->pw_dir[0] != '/') {
        (void)err_set(e, ERR_CONFIG, r,
                      "no home folder is known for user %u: set HOME, or say "
                      "--home and --state",
                      (unsigned)geteuid());
        return NULL;
    }
    return io_format(e, "%s", found->pw_dir);
}

/* One of the two folders, malloc'd.  Relative ones are made absolute, so that
 * they still hold in child programs and messages. */
static char *choose(const char *given, const char *option, const char *env,
                    const char *of_root, const char *of_user, struct err *e)
{
    const char *path = given;
    if (path == NULL) {
        path = getenv(env);
        option = env;
        if (path != NULL && path[0] == '\0')
            path = NULL;
    }
    if (path != NULL && path[0] == '\0') {
        (void)err_set(e, ERR_USAGE, 0, "%s is empty", option);
        return NULL;
    }
    if (path != NULL && path[0] == '/')
        return io_format(e, "%s", path);
    if (path != NULL) {
        AUTO_MEM char *cwd = getcwd(NULL, 0);
        if (cwd == NULL) {
            (void)err_set(e, err_of_errno(errno), errno,
                          "%s \"%s\" is relative, and the current folder is "
                          "not known",
                          option, path);
            return NULL;
        }
        return io_join(cwd, path, e);
    }
    if (geteuid() == 0)
        return io_format(e, "%s", of_root);
    AUTO_MEM char *home = user_home(e);
    return home != NULL ? io_join(home, of_user, e) : NULL;
}

int eng_home_init(struct eng_home *h, const char *config, const char *state,
                  struct err *e)
{
    *h = (struct eng_home){ 0 };
    h->config = choose(config, "--home", "OBJVAULT_HOME", "/etc/objvault",
                       ".config/objvault", e);
    if (h->config == NULL)
        return -1;
    h->state = choose(state, "--state", "OBJVAULT_STATE", "/var/lib/objvault",
                      ".local/state/objvault", e);
    if (h->state == NULL) {
        eng_home_fini(h);
        return -1;
    }
    return 0;
}

void eng_home_fini(struct eng_home *h)
{
    free(h->config);
    free(h->state);
    *h = (struct eng_home){ 0 };
}
