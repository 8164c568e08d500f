// SPDX-License-Identifier: Apache-2.0
/* Which VMs and disks a job means, by what its sources have. */
#include "tests/unit/engine/job/jobs.h"

#include "engine/inventory/inventory_impl.h"
#include "engine/job/reference.h"
#include "engine/job/selection.h"
#include "engine/job/source_config.h"

/* A VM: its path is its id, the last part its name.  in: pools, networks and
 * tags ("pool:fast tag:gold"); disks: names with blanks between. */
struct has {
    const char *id, *in, *disks, *problem;
};

#define WORDS(text, word)                                                      \
    for (char *rest_ = (text), *word = strtok_r(rest_, " ", &rest_);           \
         word != NULL; word = strtok_r(NULL, " ", &rest_))

static void put_into(struct eng_vm *vm, const char *in)
{
    AUTO_MEM char *words = strdup(in != NULL ? in : "");

    WORDS(words, word)
    {
        char *colon = strchr(word, ':');
        *colon = '\0';
        for (int k = 0; k < ENG_CONTAINER_KINDS; k++)
            if (strcmp(eng_container_kind_name((enum eng_container_kind)k),
                       word) == 0)
                must(eng_vm_in(vm, (enum eng_container_kind)k, colon + 1, why));
    }
}

static struct eng_inventory *inventory(const struct has *has, size_t n)
{
    struct eng_inventory *inv = calloc(1, sizeof *inv);
    struct err e = { 0 };

    assert_non_null(inv);
    for (size_t i = 0; i < n; i++) {
        AUTO_ENG_VM struct eng_vm vm = { .id = strdup(has[i].id) };
        const char *slash = strrchr(vm.id, '/');
        AUTO_MEM char *disks = strdup(has[i].disks);
        vm.name = strdup(slash != NULL ? slash + 1 : vm.id);
        for (const char *s = strchr(vm.id, '/'); s != NULL;
             s = strchr(s + 1, '/')) {
            AUTO_MEM char *folder = strndup(vm.id, (size_t)(s - vm.id));
            must(eng_vm_in(&vm, ENG_FOLDER, folder, why));
            if (eng_inventory_container(inv, ENG_FOLDER, folder, &e) < 0)
                fail();
        }
        put_into(&vm, has[i].in);
        WORDS(disks, name)
        {
            struct eng_vm_disk disk = { .name = name };
            must(eng_vm_disk(&vm, &disk, why));
        }
        if (has[i].problem != NULL)
            vm.problem = strdup(has[i].problem);
        for (size_t k = 0; k < vm.n_containers; k++)
            must(eng_inventory_container(inv, vm.containers[k].kind,
                                         vm.containers[k].name, why));
        must(eng_inventory_add(inv, &vm, why));
    }
    return inv;
}

/* Sorted by id, as inventories are. */
static const struct has lab_has[] = {
    { "a/b/db", "", "data.raw log.raw os.raw", NULL },
    { "a/b/web", "", "os.raw", NULL },
    { "a/cache", "", "os.raw swap.raw", NULL },
    { "broken", "", "", "it has no format" },
    { "c/web", "", "os.raw", NULL },
    { "empty", "", "", NULL },
    { "mail", "", "0.raw 1.raw", NULL },
};
static const struct has virt_has[] = {
    { "1111", "pool:fast tag:gold", "vda vdb", NULL },
    { "2222", "pool:fast network:dmz", "vda", NULL },
    { "mail", "", "vda", NULL },
};

struct scene {
    struct eng_inventory *lab, *virt;
    struct eng_looked looked[2];
};

static void scene_make(struct scene *s)
{
    s->lab = inventory(lab_has, sizeof lab_has / sizeof lab_has[0]);
    s->virt = inventory(virt_has, sizeof virt_has / sizeof virt_has[0]);
    s->looked[0] = (struct eng_looked){ "lab", s->lab, NULL };
    s->looked[1] = (struct eng_looked){ "virt", s->virt, NULL };
}

static void scene_drop(struct scene *s)
{
    eng_inventory_free(s->lab);
    eng_inventory_free(s->virt);
}
#define AUTO_SCENE AUTO(scene_drop)

/* "NAME=SOURCE:ID[disk disk] ..." and "| warning | warning". */
static void tell(const struct scene *s, const struct eng_selection *got,
                 struct buf *out)
{
    for (size_t i = 0; i < got->n_vms; i++) {
        const struct eng_selected *v = &got->vms[i];
        const char *blank = "";
        buf_printf(out, "%s%s=%s:%s[", i > 0 ? " " : "", v->name,
                   s->looked[v->looked].source, v->vm->id);
        for (size_t k = 0; k < v->vm->n_disks; k++)
            if (v->disks[k]) {
                buf_printf(out, "%s%s", blank, v->vm->disks[k].name);
                blank = " ";
            }
        buf_append_char(out, ']');
    }
    for (size_t i = 0; i < got->n_warnings; i++)
        buf_printf(out, " | %s", got->warnings[i]);
}

static void job(const struct fixture *f, const char *fields, struct eng_job *j)
{
    AUTO_BUF struct buf text = buf_init(1 << 16);

    buf_printf(&text, "{\"repo\":\"r\",%s}", fields);
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == '\'')
            text.p[i] = '"';
    put(f, "jobs/j.json", buf_cstr(&text));
    must(eng_job_load(&f->home, "j", j, why));
}

static void selects(const struct fixture *f, const struct scene *s,
                    const char *fields, const char *want)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };
    AUTO_ENG_SELECTION struct eng_selection got = { 0 };
    AUTO_BUF struct buf text = buf_init(1 << 16);

    job(f, fields, &j);
    must(eng_select(&j, s->looked, 2, &got, why));
    tell(s, &got, &text);
    if (strcmp(buf_cstr(&text), want) != 0)
        fail_msg("%s\nis   %s\nnot  %s", fields, buf_cstr(&text), want);
}

static void vms_and_containers_are_taken_in_the_order_of_the_job(void **state)
{
    AUTO_SCENE struct scene s;
    static const struct {
        const char *fields, *want;
    } cases[] = {
        { "'vms':['lab:a/cache','virt:1111']",
          "cache=lab:a/cache[os.raw swap.raw] 1111=virt:1111[vda vdb]" },
        { "'vms':['lab:cache']", "cache=lab:a/cache[os.raw swap.raw]" },
        { "'containers':['lab:a/b']", "db=lab:a/b/db[data.raw log.raw os.raw] "
                                      "a/b/web=lab:a/b/web[os.raw]" },
        { "'containers':['lab:a']",
          "db=lab:a/b/db[data.raw log.raw os.raw] a/b/web=lab:a/b/web[os.raw] "
          "cache=lab:a/cache[os.raw swap.raw]" },
        { "'containers':['lab:a'],'vms':['lab:cache']",
          "cache=lab:a/cache[os.raw swap.raw] db=lab:a/b/db[data.raw log.raw "
          "os.raw] a/b/web=lab:a/b/web[os.raw]" },
        { "'containers':['lab:a/b','lab:a','lab:folder=a/b']",
          "db=lab:a/b/db[data.raw log.raw os.raw] a/b/web=lab:a/b/web[os.raw] "
          "cache=lab:a/cache[os.raw swap.raw]" },
        { "'containers':['virt:pool=fast']",
          "1111=virt:1111[vda vdb] 2222=virt:2222[vda]" },
        { "'containers':['virt:network=dmz','virt:tag=gold']",
          "2222=virt:2222[vda] 1111=virt:1111[vda vdb]" },
        { "'containers':['virt:']",
          "1111=virt:1111[vda vdb] 2222=virt:2222[vda] "
          "virt/mail=virt:mail[vda]" },
    };

    scene_make(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        selects(*state, &s, cases[i].fields, cases[i].want);
}

static void what_is_excluded_is_out_however_it_was_included(void **state)
{
    AUTO_SCENE struct scene s;
    static const struct {
        const char *fields, *want;
    } cases[] = {
        { "'vms':['lab:cache'],'containers':['lab:a'],'exclude_vms':['cache']",
          "db=lab:a/b/db[data.raw log.raw os.raw] "
          "a/b/web=lab:a/b/web[os.raw]" },
        { "'containers':['lab:a'],'exclude_vms':['a/b/*']",
          "cache=lab:a/cache[os.raw swap.raw]" },
        { "'containers':['lab:a'],'exclude_vms':['lab:?b','c*']",
          "a/b/web=lab:a/b/web[os.raw]" },
        { "'containers':['lab:a','virt:'],'exclude_vms':['virt:*','d?']",
          "a/b/web=lab:a/b/web[os.raw] cache=lab:a/cache[os.raw swap.raw]" },
        /* Of one name in two sources, the one of a source. */
        { "'vms':['lab:mail','virt:mail'],'exclude_vms':['virt:mail']",
          "lab/mail=lab:mail[0.raw 1.raw]" },
        { "'vms':['lab:cache'],'exclude_vms':['CACHE']",
          "cache=lab:a/cache[os.raw swap.raw] | exclude_vms: no VM is "
          "\"CACHE\"" },
        /* It matches one that the job has not: no mistake. */
        { "'vms':['lab:cache'],'exclude_vms':['db']",
          "cache=lab:a/cache[os.raw swap.raw]" },
    };

    scene_make(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        selects(*state, &s, cases[i].fields, cases[i].want);
}

static void disks_are_chosen_by_the_vm_s_own_entry_and_excluded(void **state)
{
    AUTO_SCENE struct scene s;
    static const struct {
        const char *fields, *want;
    } cases[] = {
        { "'vms':['lab:db'],'disks':['db=first']", "db=lab:a/b/db[data.raw]" },
        { "'vms':['lab:db'],'disks':['lab:a/b/db=os.raw,log.raw']",
          "db=lab:a/b/db[log.raw os.raw]" },
        { "'vms':['lab:db'],'disks':['db=*.raw'],'exclude_disks':['*:l*']",
          "db=lab:a/b/db[data.raw os.raw]" },
        { "'vms':['lab:db'],'containers':['lab:a'],'disks':['*=first','db=all'"
          "],'exclude_vms':['web'],'exclude_disks':['db:log.raw']",
          "db=lab:a/b/db[data.raw os.raw] cache=lab:a/cache[os.raw]" },
        { "'vms':['lab:cache'],'exclude_disks':['lab:cache:swap*']",
          "cache=lab:a/cache[os.raw]" },
        { "'vms':['lab:cache'],'exclude_disks':['*:*']",
          " | VM lab:a/cache is left out: none of its disks is wanted" },
        { "'vms':['lab:cache'],'disks':['cache=first'],'exclude_disks':["
          "'cache:os.raw']",
          " | VM lab:a/cache is left out: none of its disks is wanted" },
        { "'vms':['lab:db'],'disks':['db=os.raw,vdz']",
          "db=lab:a/b/db[os.raw] | VM lab:a/b/db has no disk \"vdz\"" },
        { "'vms':['lab:db'],'disks':['ldap=first'],'exclude_disks':['db:vdz']",
          "db=lab:a/b/db[data.raw log.raw os.raw] | disks: no VM is "
          "\"ldap=first\" | exclude_disks: no disk of a VM is \"db:vdz\"" },
        { "'vms':['lab:empty','lab:broken'],'disks':['*=vda']",
          "broken=lab:broken[] | VM lab:empty has no disk \"vda\" | VM "
          "lab:empty is left out: it has no disks" },
    };

    scene_make(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        selects(*state, &s, cases[i].fields, cases[i].want);
}

static void what_vanished_is_a_warning(void **state)
{
    AUTO_SCENE struct scene s;

    scene_make(&s);
    selects(*state, &s,
            "'vms':['lab:gone','lab:mail'],'containers':['lab:x','virt:pool="
            "slow','lab:b'],'exclude_vms':['old-*']",
            "lab/mail=lab:mail[0.raw 1.raw] | VM lab:gone is not there (any "
            "more) | container lab:x is not there "
            "(any more) | container virt:pool=slow is not there (any more) | "
            "container lab:b is not there (any more)");
}

/* Then nothing is said of what may be in it. */
static void a_source_that_cannot_be_looked_at_is_one_warning(void **state)
{
    AUTO_SCENE struct scene s;

    scene_make(&s);
    s.looked[1] = (struct eng_looked){ "virt", NULL, "nobody answers" };
    selects(*state, &s,
            "'vms':['lab:db','virt:1111'],'containers':['virt:tag=x'],"
            "'exclude_vms':['1*'],'disks':['2222=first'],'exclude_disks':["
            "'x:y']",
            "db=lab:a/b/db[data.raw log.raw os.raw] | source virt cannot be "
            "looked at: nobody answers");
}

static void a_part_that_cannot_be_looked_at_is_a_warning(void **state)
{
    AUTO_SCENE struct scene s;

    scene_make(&s);
    must(eng_inventory_note(s.lab, true, "/x/y: permission denied", why));
    must(eng_inventory_note(s.lab, false, "/x/z: is a link", why));
    selects(*state, &s, "'vms':['lab:db']",
            "db=lab:a/b/db[data.raw log.raw os.raw] | source lab: /x/y: "
            "permission denied");
}

static void two_of_one_name_are_filed_by_what_tells_them_apart(void **state)
{
    AUTO_SCENE struct scene s;
    const struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_JOB struct eng_job j = { 0 };
    AUTO_ENG_SELECTION struct eng_selection got = { 0 };

    scene_make(&s);
    selects(f, &s, "'vms':['lab:a/b/web','lab:c/web']",
            "a/b/web=lab:a/b/web[os.raw] c/web=lab:c/web[os.raw]");
    /* Also where the job has one of them. */
    selects(f, &s, "'vms':['lab:c/web']", "c/web=lab:c/web[os.raw]");
    selects(f, &s, "'vms':['lab:mail','virt:mail']",
            "lab/mail=lab:mail[0.raw 1.raw] virt/mail=virt:mail[vda]");

    job(f, "'vms':['lab:web']", &j);
    assert_int_equal(eng_select(&j, s.looked, 2, &got, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_string_equal(e.msg,
                        "vms: lab:web means several VMs, a/b/web and c/web "
                        "among them; write lab:a/b/web");
    assert_int_equal(got.n_vms, 0);
}

/* An id is another's name: "x" in the folder itself, and "y/x". */
static void an_id_comes_before_a_name(void **state)
{
    static const struct has has[] = { { "x", "", "a", NULL },
                                      { "y/x", "", "b", NULL } };
    AUTO_SCENE struct scene s;

    scene_make(&s);
    eng_inventory_free(s.lab);
    s.lab = inventory(has, 2);
    s.looked[0].inventory = s.lab;
    selects(*state, &s, "'vms':['lab:x']", "x=lab:x[a]");
    selects(*state, &s, "'vms':['lab:y/x']", "y/x=lab:y/x[b]");
}

static void put_image(const struct fixture *f, const char *file)
{
    struct err e = { 0 };
    AUTO_MEM char *path = io_join(f->config, file, &e);
    AUTO_MEM char *zeros = calloc(1, 4096);

    must(io_mkdirs_for(path, 0700, why));
    must(io_write_file(path, span_of(zeros, 4096), 0600, false, why));
}

static void a_job_is_resolved_by_its_configured_sources(void **state)
{
    const struct fixture *f = *state;
    struct err e = { 0 };
    char text[200];
    struct eng_held *held = NULL;
    AUTO_ENG_JOB struct eng_job j = { 0 };
    AUTO_ENG_SELECTION struct eng_selection got = { 0 };

    put_image(f, "vms/p/web/os.raw");
    put_image(f, "vms/p/web/tmp.raw");
    put_image(f, "vms/p/db/os.raw");
    put_image(f, "vms/q/x/os.raw");
    (void)snprintf(text, sizeof text, "{\"place\":\"dir:%s/vms\"}", f->config);
    put(f, "sources/lab.json", text);
    put(f, "sources/off.json", "{\"place\":\"dir:/nowhere/at/all\"}");
    job(f, "'containers':['off:','lab:p'],'exclude_disks':['web:tmp*']", &j);
    must(eng_job_select(&f->home, &j, NULL, &held, &got, why));
    assert_int_equal(got.n_vms, 2);
    assert_string_equal(got.vms[0].vm->id, "p/db");
    assert_string_equal(got.vms[1].name, "web");
    assert_int_equal(got.vms[1].vm->n_disks, 2);
    assert_true(got.vms[1].disks[0]);
    assert_false(got.vms[1].disks[1]);
    assert_int_equal(got.n_warnings, 1);
    assert_non_null(strstr(got.warnings[0], "source off cannot be looked at"));
    assert_string_equal(eng_held_source(held, got.vms[0].looked), "lab");
    AUTO_ENG_MACHINE struct eng_machine *m =
        eng_inventory_machine(eng_held_place(held, got.vms[0].looked),
                              got.vms[0].vm->id, NULL, NULL, &e);
    assert_non_null(m);
    eng_held_free(held);
    eng_selection_fini(&got);

    /* A VM that came since is in; without one source there is nothing. */
    put_image(f, "vms/p/new/os.raw");
    must(eng_job_select(&f->home, &j, NULL, &held, &got, why));
    assert_int_equal(got.n_vms, 3);
    eng_held_free(held);
    eng_selection_fini(&got);
    eng_job_fini(&j);
    job(f, "'containers':['off:','none:']", &j);
    assert_int_equal(eng_job_select(&f->home, &j, NULL, &held, &got, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "source off: "));
    assert_null(held);
}

static void a_container_that_is_written_is_read_as_the_same(void **state)
{
    static char names[][16] = { "prod", "pool=fast", "a/b c", "x=y" };

    (void)state;
    for (int k = 0; k < ENG_CONTAINER_KINDS; k++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            struct eng_container c = { .kind = (enum eng_container_kind)k,
                                       .name = names[i] };
            struct err e = { 0 };
            AUTO_MEM char *text = eng_container_text(&c, &e);
            assert_non_null(text);
            struct eng_container_ref back = eng_container_ref_of(text);
            assert_int_equal(back.kind, c.kind);
            assert_string_equal(back.name, c.name);
        }
    struct eng_container prod = { .kind = ENG_FOLDER, .name = names[0] };
    struct err e = { 0 };
    AUTO_MEM char *text = eng_container_text(&prod, &e);
    assert_string_equal(text, "prod");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOMED(vms_and_containers_are_taken_in_the_order_of_the_job),
        HOMED(what_is_excluded_is_out_however_it_was_included),
        HOMED(disks_are_chosen_by_the_vm_s_own_entry_and_excluded),
        HOMED(what_vanished_is_a_warning),
        HOMED(a_source_that_cannot_be_looked_at_is_one_warning),
        HOMED(a_part_that_cannot_be_looked_at_is_a_warning),
        HOMED(two_of_one_name_are_filed_by_what_tells_them_apart),
        HOMED(an_id_comes_before_a_name),
        HOMED(a_job_is_resolved_by_its_configured_sources),
        cmocka_unit_test(a_container_that_is_written_is_read_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
