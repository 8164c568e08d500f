// SPDX-License-Identifier: Apache-2.0
/* Commands: source, vm: places with VMs. */
#include "cli/table.h"

#define SOURCE_ARG                                                             \
    {                                                                          \
        .name = "NAME", .value = CLI_SOURCE, .help = "The source's name."      \
    }

static const struct cli_use find_uses[] = {
    { CLI_OPT_SOURCE, false },
};

const struct cli_command cli_commands_machine[] = {
    { .noun = "source",
      .verb = "add",
      .summary = "configure a place with VMs",
      .text =
          "Looks at the place and writes sources/NAME.json.\n"
          "In a folder (dir:/path) each folder that holds images itself is a "
          "VM, with them as its disks and its other files as the "
          "configuration, and other folders are containers, however they are "
          "nested.  An image in the place's own folder is a VM of one disk.  "
          "Links are not followed.\n"
          "Of libvirt on this host (libvirt:qemu:///system) each domain is a "
          "VM.  Storage pools, networks and tags are its containers; a tag is "
          "the text of an element <tag> in the domain's metadata.  Domains "
          "that are shut off can be read, by their images; of the others "
          "vm list says why not.",
      .args = { NEW_NAME_ARG,
                { .name = "PLACE",
                  .value = CLI_TEXT,
                  .help = "Where the VMs are: dir:/PATH or libvirt:URI." } },
      .example = "source add lab dir:/srv/vms",
      .run = cli_source_add },
    { .noun = "source",
      .verb = "list",
      .summary = "list the configured sources",
      .text = "Lists the sources that are configured on this machine, without "
              "looking at them.",
      .run = cli_source_list },
    { .noun = "source",
      .verb = "show",
      .summary = "show a source and its containers",
      .text = "Looks at a source and shows what groups of VMs it has.  What "
              "could not be looked at is a warning (exit 3).",
      .args = { SOURCE_ARG },
      .run = cli_source_show },
    { .noun = "source",
      .verb = "remove",
      .summary = "forget a source on this machine",
      .text = "Removes sources/NAME.json.  VMs and restore points are not "
              "touched.",
      .args = { SOURCE_ARG },
      .run = cli_source_remove },
    { .noun = "vm",
      .verb = "list",
      .summary = "list the VMs of a source",
      .text = "Looks at a source and lists its VMs, with their containers, "
              "and what keeps one from being backed up.  What could not be "
              "looked at is a warning (exit 3).",
      .args = { { .name = "SOURCE",
                  .value = CLI_SOURCE,
                  .help = "The source's name." } },
      .example = "vm list lab",
      .run = cli_vm_list },
    { .noun = "vm",
      .verb = "find",
      .summary = "find VMs and containers by a part of their name",
      .text = "Looks at all sources and lists the VMs whose name, or one of "
              "whose containers (folder, pool, network, tag), has TEXT in its "
              "name, without regard to case; and such containers.  A source "
              "that cannot be looked at is a warning (exit 3).",
      .args = { { .name = "TEXT",
                  .value = CLI_TEXT,
                  .help = "The part of the name." } },
      USES(find_uses),
      .example = "vm find web --source lab",
      .run = cli_vm_find },
    { .noun = NULL },
};
