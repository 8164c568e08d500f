// SPDX-License-Identifier: Apache-2.0
/* Units of systemd. */
#include "engine/daemon/daemon.h"

const char *eng_unit_name(enum eng_unit u)
{
    static const char *const names[ENG_UNITS] = {
        [ENG_UNIT_SERVICE] = "objvault.service",
        [ENG_UNIT_TIMER] = "objvault.timer",
        [ENG_UNIT_RESIDENT] = "objvault-daemon.service",
    };
    return names[u];
}

/* A word as ExecStart= takes it: nothing in it is a variable or a specifier. */
static void word(const char *text, struct buf *out)
{
    buf_append_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_char(out, '\\');
        else if (*text == '%' || *text == '$')
            buf_append_char(out, *text);
        buf_append_char(out, *text);
    }
    buf_append_char(out, '"');
}

/* Nothing here may keep it from reading disks: ProtectClock and PrivateDevices
 * would, since both allow only some devices.  Nor from writing repositories in
 * directories. */
static const char hardening[] = "NoNewPrivileges=yes\n"
                                "ProtectSystem=full\n"
                                "ProtectKernelTunables=yes\n"
                                "ProtectKernelModules=yes\n"
                                "ProtectKernelLogs=yes\n"
                                "ProtectControlGroups=yes\n"
                                "ProtectHostname=yes\n"
                                "RestrictAddressFamilies=AF_UNIX AF_INET "
                                "AF_INET6 AF_NETLINK\n"
                                "RestrictNamespaces=yes\n"
                                "RestrictRealtime=yes\n"
                                "RestrictSUIDSGID=yes\n"
                                "LockPersonality=yes\n"
                                "SystemCallArchitectures=native\n"
                                "UMask=0077\n"
                                "LimitCORE=0\n";

static void service(const struct eng_home *h, const char *program, bool stays,
                    struct buf *out)
{
    buf_printf(out, "[Unit]\nDescription=objvault: backup jobs%s\n",
               stays ? "" : " that are due");
    buf_append_str(out, "Documentation=man:objvault(1)\n"
                        "Wants=network-online.target\n"
                        "After=network-online.target\n\n[Service]\n");
    buf_printf(out, "Type=%s\nExecStart=", stays ? "exec" : "oneshot");
    word(program, out);
    buf_append_str(out, " --home ");
    word(h->config, out);
    buf_append_str(out, " --state ");
    word(h->state, out);
    buf_printf(out, " daemon%s\n", stays ? "" : " --until-idle");
    if (stays)
        buf_append_str(out, "ExecReload=/bin/kill -HUP $MAINPID\n"
                            "Restart=on-failure\nRestartSec=30\n");
    /* It ends its runs itself, and needs up to a minute for it. */
    buf_append_str(out, "KillMode=mixed\nTimeoutStopSec=90\n"
                        "EnvironmentFile=-/etc/default/objvault\n");
    buf_append_str(out, hardening);
    if (stays)
        buf_append_str(out, "\n[Install]\nWantedBy=multi-user.target\n");
}

static void timer(struct buf *out)
{
    buf_append_str(out, "[Unit]\n"
                        "Description=objvault: looks each minute what is due\n"
                        "Documentation=man:objvault(1)\n\n"
                        "[Timer]\n"
                        "OnCalendar=minutely\n"
                        "AccuracySec=1s\n\n"
                        "[Install]\n"
                        "WantedBy=timers.target\n");
}

void eng_unit_text(enum eng_unit u, const struct eng_home *h,
                   const char *program, struct buf *out)
{
    if (u == ENG_UNIT_TIMER)
        timer(out);
    else
        service(h, program, u == ENG_UNIT_RESIDENT, out);
}
