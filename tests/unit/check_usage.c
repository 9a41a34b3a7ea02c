/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is typed wrong: the message says what it is and how it is right, and nothing runs.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "machine.h"

/* LINE of the command, and what it answers. */
struct slip {
	const char *line, *answer;
};

static const struct slip slips[] = {
	{ "stauts",
	  "there is no command \"stauts\": did you mean status?; see: vfio-hook" },
	{ "x", "there is no command \"x\"; see: vfio-hook --help" },
	{ "--nope", "unknown option --nope; see: vfio-hook --help\n" },
	{ "plan win10 --dif=1", "unknown option --dif=1: did you mean --diff?" },
	{ "plan win10 --jsn", "unknown option --jsn: did you mean --json?" },
	{ "plan win10 --json=x", "option --json takes no value\nUsage: vfio-hook plan" },
	{ "plan win10 -x", "unknown option -x\nUsage: vfio-hook plan DOMAIN [PHASE]" },
	{ "init win10 -o", "option -o needs a value\nUsage: vfio-hook init DOMAIN" },
	{ "init win10 --output", "option --output needs a value" },
	{ "init win10 --output=", "the value of an option is empty" },
	{ "status --root=/nowhere/at/all", "--root \"/nowhere/at/all\": No such file" },
	{ "status --root=/dev/null", "--root \"/dev/null\" is no folder" },
	{ "status --hooks-dir=/nowhere", "/nowhere\": No such file or directory; see:" },

	{ "init", "init: DOMAIN is missing\n"
		  "Usage: vfio-hook init DOMAIN [--write | -o FILE] "
		  "(more: vfio-hook init --help)\n" },
	{ "import", "import: DIR is missing\n" },
	{ "plan", "plan: DOMAIN is missing\n" },
	{ "test", "test: DOMAIN is missing\n" },
	{ "run", "run: DOMAIN is missing\n" },
	{ "run win10", "run: PHASE is missing\n" },
	{ "undo", "undo: either DOMAIN or --orphans is missing\n" },
	{ "undo --orphans win10", "undo: either DOMAIN or --orphans\n" },
	{ "undo --orphans --boot", "undo: either DOMAIN or --orphans" },
	{ "undo --orphans --forget", "undo: either DOMAIN or --orphans" },
	{ "status --forget", "status has no option --forget" },
	{ "run --early win10 boot", "run has no option --early" },
	{ "init a b", "init: one argument too many: \"b\"\n" },
	{ "import a b c", "import: one argument too many: \"c\"\n" },
	{ "check a b", "check: one argument too many: \"b\"\n" },
	{ "plan a prepare c", "plan: one argument too many: \"c\"\n" },
	{ "test a 1 c", "test: one argument too many: \"c\"\n" },
	{ "run a prepare c", "run: one argument too many: \"c\"\n" },
	{ "undo a b", "undo: one argument too many: \"b\"\n" },
	{ "status a b", "status: one argument too many: \"b\"\n" },
	{ "devices a", "a is no PCI device: write its address, as 0a:00.0, " },
	{ "devices 0b:00.0 0a:00", "0a:00 is no PCI device: did you mean 0a:00.*?: " },
	{ "devices 0b:00.0 0c:00.0", "no such PCI device: 0c:00.0 (vfio-hook devices " },
	{ "devices 0b:00.1", "no such PCI device: 0b:00.1 " },
	{ "devices 10de:ffff", "no such PCI device: 10de:ffff " },
	{ "devices 0b:00.0 --gpu", "--gpu and DEVICE: only one of them\n" },
	{ "steps a b", "steps: one argument too many: \"b\"\n" },
	{ "boot a", "boot: one argument too many: \"a\"\n"
		    "Usage: vfio-hook boot [--early] "
		    "(more: vfio-hook boot --help)\n" },

	{ "plan ", "plan: DOMAIN is empty\n" },
	{ "run win10 ", "run: PHASE is empty\n" },
	{ "test win10 ", "test: SECONDS is empty\n" },
	{ "steps ", "steps: STEP is empty\n" },
	{ "devices ", "devices: DEVICE is empty\n" },
	{ "import ", "import: DIR is empty\n" },
	{ "check a/b", "\"a/b\" cannot be the name of a domain\nUsage: vfio-hook check" },
	{ "status ..", "\"..\" cannot be the name of a domain\n" },
	{ "undo a/b", "\"a/b\" cannot be the name of a domain\n" },

	{ "plan win11", "/etc/libvirt/qemu/win11.xml" },
	{ "plan win11", "/etc/libvirt/qemu/win11.xml): did you mean win10?\n" },
	{ "plan sandbox", "/etc/libvirt/qemu/sandbox.xml); known: other, win10\n"
			  "Of one that libvirt keeps elsewhere: virsh dumpxml --inactive "
			  "sandbox | vfio-hook …\n" },
	{ "undo sandbox", "vfio-hook: libvirt has no domain sandbox (no " },
	{ "check win01", ": did you mean win10?\n" },
	{ "plan win10 prepaer", "prepaer is no phase: did you mean prepare? (prepare, " },
	{ "run win10 x",
	  "x is no phase (prepare, start, started, stopped, release, boot)" },
	{ "test win10 -5", "unknown option -5\nUsage: vfio-hook test DOMAIN" },
	{ "test win10 5x",
	  "5x is no number of seconds up to 3600\nUsage: vfio-hook test" },
	{ "test win10 3601", "3601 is no number of seconds up to 3600\n" },
	{ "steps pci.detahc", "there is no step pci.detahc: did you mean pci.detach?" },
	{ "steps --gpu", "steps has no option --gpu\nUsage: vfio-hook steps" },
	{ "run --json a prepare", "run has no option --json\nUsage: vfio-hook run" },
	{ "init win10 --write -o x", "--write and --output FILE: only one of them\n" },
	{ "import --phase foo /dev", "foo is no phase (prepare, " },
	{ "import --conf /nowhere /dev", "--conf /nowhere: No such file or directory\n" },
	{ "import /nowhere/at/all", "/nowhere/at/all: there are no scripts: name a" },
	{ "import /dev/null", "/dev/null: there are no scripts: name a" },
	{ "plan win10 --json --diff", "--json and --diff: only one of them\n" },
	{ "plan WIN10", "/etc/libvirt/qemu/WIN10.xml): did you mean win10?\n" },
	{ "plan other", "the XML is of the domain \"win10\", not of \"other\"\n" },
};

START_TEST(slip)
{
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	faketree_file("<domain type='kvm'><name>win10</name><uuid>" UUID
		      "</uuid></domain>",
		      "/etc/libvirt/qemu/other.xml");
	steps("pci.detach =");
	ck_assert_msg(command(slips[_i].line) == STATUS_USAGE, "%s:\n%s", slips[_i].line,
		      out);
	assert_has(slips[_i].answer);
	ck_assert_msg(strncmp(out, "vfio-hook: ", strlen("vfio-hook: ")) == 0 ||
			      strstr(out, "\nvfio-hook: "),
		      "%s", out);
}
END_TEST

START_TEST(nothing_to_do)
{
	ck_assert_int_eq(command("undo --orphans"), STATUS_OK);
	assert_has("no domain has left anything behind: nothing to put back\n");
	ck_assert_int_eq(command("boot"), STATUS_OK);
	assert_has(
		"no config in /etc/libvirt/hooks/conf.d has [boot/begin]: nothing to do\n");
	ck_assert_int_eq(command("status"), STATUS_OK);
	assert_has("a log; a config is made by: vfio-hook init DOMAIN\n");
	steps("pci.detach =");
	ck_assert_int_eq(command("boot"), STATUS_OK);
	assert_has(
		"no config in /etc/libvirt/hooks/conf.d has [boot/begin]: nothing to do\n");
	faketree_file("[boot/begin]\nwait.for = path=/etc\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("boot"), STATUS_OK);
	assert_has("win10: boot/begin: done\n");
	ck_assert_int_eq(command("steps pci"), STATUS_OK);
	assert_has("pci.detach             bind PCI devices to VFIO\n");
	assert_has("pci.reattach ");
	assert_hasnt("kmod");
	ck_assert_int_eq(command("steps undo"), STATUS_OK);
	assert_has("undo =\n");
}
END_TEST

START_TEST(no_arguments)
{
	ck_assert_int_eq(command("--verbose"), STATUS_USAGE);
	assert_has("Usage: vfio-hook [OPTION…] COMMAND");
	ck_assert_int_eq(command("status win11"), STATUS_FAILED);
	assert_has("nothing is known of win11");
	steps("pci.detach =");
	ck_assert_int_eq(command("status win11"), STATUS_FAILED);
	assert_has("no log: did you mean win10?\n");
}
END_TEST

/* Transient, gone, or written early: no slip, however near another one is. */
START_TEST(config_without_domain)
{
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	steps("pci.detach =");
	faketree_file("[prepare/begin]\npci.detach =\n",
		      "/etc/libvirt/hooks/conf.d/win11.ini");
	ck_assert_int_eq(command("plan win11"), STATUS_USAGE);
	assert_has("/etc/libvirt/qemu/win11.xml)\nOf one that libvirt keeps elsewhere: "
		   "virsh dumpxml --inactive win11 | vfio-hook …\n");
	assert_hasnt("did you mean");
	/* A journal of another domain knows nothing of it, either. */
	ck_assert_int_eq(command("run win10 prepare"), STATUS_OK);
	ck_assert_int_eq(command("plan win11"), STATUS_USAGE);
	assert_has("libvirt has no domain win11 (no ");
	ck_assert_int_eq(command("undo win11"), STATUS_USAGE);
	assert_has("libvirt has no domain win11 (no ");
	ck_assert_int_eq(command("run win10 release"), STATUS_OK);
}
END_TEST

static void assert_not_judged(const char *line, const char *files)
{
	char text[256];

	ck_assert_msg(command(line) == STATUS_OK, "%s", out);
	assert_has("win11: a start is not judged\n  warning  libvirt has no domain win11");
	snprintf(text, sizeof(text), ", so what /etc/libvirt/hooks/%s does for it is not",
		 files);
	assert_has(text);
	assert_has(
		"             virsh dumpxml --inactive win11 | vfio-hook check win11\n");
	assert_hasnt("vfio-hook: ");
}

START_TEST(check_config_without_domain)
{
	char path[PATH_MAX];

	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	steps("pci.detach =");
	faketree_file("[prepare/begin]\npci.detach =\n",
		      "/etc/libvirt/hooks/conf.d/win11.ini");
	assert_not_judged("check", "conf.d/win11.ini");
	assert_has("win10: ");
	assert_not_judged("check win11", "conf.d/win11.ini");
	ck_assert_int_eq(command("check --json"), STATUS_OK);
	assert_has("\"domain\": \"win11\"");
	assert_has("libvirt has no domain win11");
	/* What can be read without a domain, is. */
	faketree_file("[prepare/begin]\npci.detahc =\n",
		      "/etc/libvirt/hooks/conf.d/win11.ini");
	ck_assert_int_eq(command("check"), STATUS_USAGE);
	assert_has("win11.ini:2: unknown step");
	ck_assert_int_eq(unlink(host_path(&host, path,
					  "/etc/libvirt/hooks/conf.d/win11.ini")),
			 0);
	faketree_file("#!/bin/sh\n", "/etc/libvirt/hooks/qemu.d/win11/prepare/begin/x");
	ck_assert_int_eq(chmod(host_path(&host, path,
					 "/etc/libvirt/hooks/qemu.d/win11/prepare/begin/x"),
			       0755),
			 0);
	assert_not_judged("check", "qemu.d/win11");
}
END_TEST

/* Who only asks by a wrong name leaves no log by that name. */
START_TEST(no_log_of_the_unknown)
{
	ck_assert_int_eq(command("undo --boot sandbox"), STATUS_OK);
	assert_has("sandbox: nothing to put back\n");
	ck_assert_int_eq(command("undo sandbox"), STATUS_USAGE);
	while (waitpid(-1, NULL, 0) > 0) /* who writes the log */
		;
	ck_assert(!host_exists(&host, "/var/log/vfio-hook/sandbox.log"));
}
END_TEST

START_TEST(without_config)
{
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has(
		"no config: nothing would be done for it; make one with: vfio-hook init "
		"--write win10\n");
	ck_assert_int_eq(command("run win10 prepare"), STATUS_OK);
	assert_has("win10 has no config (/etc/libvirt/hooks/conf.d/win10.ini): there is "
		   "nothing to do for it; make one with: vfio-hook init --write win10\n");
	assert_has("nothing had to be changed\n");
	ck_assert_int_eq(command("run win10 release"), STATUS_OK);
	assert_hasnt("has no config");
	/* Not a test that was passed. */
	ck_assert_int_eq(command("test win10 0"), STATUS_FAILED);
	assert_has("make one with: vfio-hook init --write win10\n");
	assert_hasnt("released");
}
END_TEST

static const struct {
	const char *word, *answer;
} addresses[] = {
	{ "0a:00.9",
	  "0a:00.9 is no PCI address: write BUS:DEVICE.FUNCTION in hex, as 0a:00.0 "
	  "with a function of 0 to 7" },
	{ "0a:00", "0a:00 is no PCI address: write 0a:00.*; one is BUS:DEVICE.FUNCTION" },
	{ "0a:00.0,0a:00.1", "is no PCI address: write 0a:00.0 0a:00.1; one is" },
	{ "gpux", "no such device set: gpux, did you mean gpu?; name one of: gpu" },
};

START_TEST(address)
{
	_cleanup_free_ char *text = NULL;

	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	ck_assert_int_gt(asprintf(&text,
				  "[devices]\ngpu = " GPU "\n[prepare/begin]\n"
				  "pci.detach = %s\n",
				  addresses[_i].word),
			 0);
	faketree_file(text, "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("plan win10"), STATUS_FAILED);
	assert_has(addresses[_i].answer);
}
END_TEST

static const char *const nearly[] = { "WIN10.ini", "win10.conf", "win10.INI", "wni10.ini",
				      "win'10.ini" };

/* A config that is there, and not read. */
START_TEST(config_of_another_name)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], word[SHELL_WORD_MAX];

	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	install("\177ELF", 0755);
	snprintf(path, sizeof(path), "/etc/libvirt/hooks/conf.d/%s", nearly[_i]);
	faketree_file("[prepare/begin]\npci.detach =\n", "%s", path);
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	ck_assert_int_gt(asprintf(&text, "mv %s /etc/libvirt/hooks/conf.d/win10.ini\n",
				  shell_word(path, word, sizeof(word))),
			 0);
	assert_has("  warning  ");
	assert_has(text);
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("is not read for the domain win10: rename it to win10.ini");

	/* Not if it is another domain's. */
	faketree_file("<domain/>", "/etc/libvirt/qemu/wni10.xml");
	command("plan win10");
	if (streq(nearly[_i], "wni10.ini"))
		assert_hasnt("is not read");
	else
		assert_has("is not read");
}
END_TEST

/* Who asks for an answer and does not get it has to know. */
static const struct {
	const char *line;
	int status, full_status;
} readers[] = {
	{ "--help", STATUS_OK, STATUS_FAILED },
	{ "--version", STATUS_OK, STATUS_FAILED },
	{ "plan --help", STATUS_OK, STATUS_FAILED },
	{ "devices", STATUS_OK, STATUS_FAILED },
	{ "devices --json", STATUS_OK, STATUS_FAILED },
	{ "status", STATUS_OK, STATUS_FAILED },
	{ "status --json", STATUS_OK, STATUS_FAILED },
	{ "check win10", STATUS_OK, STATUS_FAILED },
	{ "plan win10", STATUS_OK, STATUS_FAILED },
	{ "plan --diff win10", STATUS_OK, STATUS_FAILED },
	{ "plan --json win10", STATUS_OK, STATUS_FAILED },
	{ "init win10", STATUS_OK, STATUS_FAILED },
	{ "steps", STATUS_OK, STATUS_FAILED },
	/* It was done all the same. */
	{ "undo win10", STATUS_OK, STATUS_OK },
};

START_TEST(nobody_reads)
{
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	steps("pci.detach =");
	ck_assert_int_eq(command(readers[_i].line), readers[_i].status);
	ck_assert_int_eq(command_to("/dev/full", readers[_i].line),
			 readers[_i].full_status);
	assert_has("vfio-hook: cannot write to standard output");
}
END_TEST

/* The next line of the list of commands in *REST; NULL at its end. */
static char *next_command(char **rest)
{
	char *line = strsep(rest, "\n");

	if (!line || strncmp(line, "  ", 2) != 0)
		return NULL;
	line += 2;
	line[strcspn(line, " ")] = '\0';
	return line;
}

/* Of all that `vfio-hook --help` lists; no line is wider than a terminal. */
START_TEST(each_command_has_help)
{
	_cleanup_free_ char *list = NULL;
	char usage[96], line[64], *rest, *name;
	unsigned n = 0;

	ck_assert_int_eq(command("--help"), STATUS_OK);
	list = strdup(out);
	rest = strstr(list, "\nCommands:\n");
	ck_assert_ptr_nonnull(rest);
	rest += strlen("\nCommands:\n");
	while ((name = next_command(&rest))) {
		snprintf(line, sizeof(line), "%s --help", name);
		ck_assert_int_eq(command(line), STATUS_OK);
		snprintf(usage, sizeof(usage), "Usage: vfio-hook [OPTION…] %s", name);
		assert_has(usage);
		for (char *left = out, *l; (l = strsep(&left, "\n"));)
			ck_assert_msg(strlen(l) <= 84, "%s: wide: %s", name, l);
		n++;
	}
	ck_assert_uint_ge(n, 11);
}
END_TEST

/* What is left over counts. */
START_TEST(import_tells_by_its_status)
{
	char line[PATH_MAX];

	snprintf(line, sizeof(line), "import %s/import/nvidia", getenv("DATA"));
	ck_assert_int_eq(command(line), STATUS_OK);
	snprintf(line, sizeof(line), "import %s/import/odd", getenv("DATA"));
	ck_assert_int_eq(command(line), STATUS_FAILED);
	assert_has("not converted");
}
END_TEST

/* Nobody has said chmod +x. */
START_TEST(import_of_what_never_ran)
{
	char line[PATH_MAX + 64], path[PATH_MAX];

	faketree_file("modprobe -r nvidia\n", "/tree/win10/prepare/begin/start.sh");
	snprintf(line, sizeof(line), "import %s/tree/win10", faketree_root());
	ck_assert_int_eq(command(line), STATUS_FAILED);
	snprintf(line, sizeof(line), "to have it read all the same: chmod 755 %s\n",
		 host_path(&host, path, "/tree/win10/prepare/begin/start.sh"));
	assert_has(line);
}
END_TEST

/* A kvm.conf that lies elsewhere than its scripts. */
START_TEST(import_with_a_conf)
{
	char line[2 * PATH_MAX + 64], path[PATH_MAX];

	faketree_file("#!/bin/bash\nsource \"/etc/libvirt/hooks/kvm.conf\"\n"
		      "virsh nodedev-detach $VIRSH_GPU_VIDEO\n",
		      "/tree/win10/prepare/begin/start.sh");
	ck_assert_int_eq(
		chmod(host_path(&host, path, "/tree/win10/prepare/begin/start.sh"), 0755),
		0);
	faketree_file("VIRSH_GPU_VIDEO=pci_0000_0a_00_0\n", "/elsewhere/my.conf");
	snprintf(line, sizeof(line), "import %s/tree/win10", faketree_root());
	ck_assert_int_eq(command(line), STATUS_FAILED);
	assert_hasnt("0000:0a:00.0");
	snprintf(line, sizeof(line), "import --conf %s/elsewhere/my.conf %s/tree/win10",
		 faketree_root(), faketree_root());
	ck_assert_msg(command(line) == STATUS_OK, "%s", out);
	assert_has("0000:0a:00.0");
	assert_has("\npci.detach = ");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, slip, 0, ARRAY_SIZE(slips));
	tcase_add_loop_test(tc, address, 0, ARRAY_SIZE(addresses));
	tcase_add_loop_test(tc, config_of_another_name, 0, ARRAY_SIZE(nearly));
	tcase_add_test(tc, nothing_to_do);
	tcase_add_test(tc, no_arguments);
	tcase_add_test(tc, without_config);
	tcase_add_test(tc, config_without_domain);
	tcase_add_test(tc, check_config_without_domain);
	tcase_add_test(tc, no_log_of_the_unknown);
	tcase_add_test(tc, each_command_has_help);
	tcase_add_test(tc, import_tells_by_its_status);
	tcase_add_test(tc, import_of_what_never_ran);
	tcase_add_test(tc, import_with_a_conf);
	tcase_add_loop_test(tc, nobody_reads, 0, ARRAY_SIZE(readers));
}

int main(void)
{
	return machine_run("usage", add);
}
