/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Broken input: configs, domain XML and journals with bytes changed, cut out, doubled and
 * moved, from a fixed seed. Nothing is expected of the answer but that there is one; the
 * sanitizers and valgrind look at the rest.
 */
#include <sys/stat.h>

#include "config.h"
#include "domain.h"
#include "journal.h"
#include "suite.h"

#define ROUNDS 1500
#define TEXT_MAX 65536

static const char journal_seed[] =
	"vfio-hook\t1\tb007b007-0000-0000-0000-000000000000\t"
	"11111111-2222-3333-4444-555555555555\twin 10\t.\n"
	"owner\t812\t5555\t.\n"
	"phase\tprepare/begin\tbegun\t.\n"
	"baseline\t0000:0a:00.0\tnvidia\tnvidia\t\ton\t1\tflr bus\t10de:1e84\t.\n"
	"set\toverride\t0000:0a:00.0\t\tvfio-pci\t\tprepare/begin\t100\t.\n"
	"set\tpages\thugepages-2048kB/all\t3\t7\tshare=0 from=3 to=7 taken=4 by=9\t"
	"prepare/begin\t101\t.\n"
	"set\tattr\t/sys/a\\tb\\\\c\t1\t2\t\tstart/begin\t102\t.\n"
	"old\tattr\t/sys/a\\tb\\\\c\t0\t.\n"
	"strike\toverride\t0000:0a:00.0\t.\n"
	"child\t98\t1234\tunbind of 0000:0a:00.0\t.\n"
	"returned\t98\t.\n"
	"left\t99\t1234\tunbind of 0000:0a:00.1\t.\n"
	"phase\tprepare/begin\tcomplete\t.\n";

static char root[] = "/tmp/vfio-hook-fuzz-XXXXXX";
static struct host host = { .root = root };
static uint64_t state;

static size_t below(size_t n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return n ? (size_t)(state >> 33) % n : 0;
}

static void write_file(const char *path, const char *text, size_t len)
{
	char full[PATH_MAX];
	FILE *f = fopen(host_path(&host, full, "%s", path), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	fclose(f);
}

static size_t read_seed(const char *name, char *buf)
{
	const char *data = getenv("DATA");
	char path[PATH_MAX];
	size_t n;
	FILE *f;

	ck_assert_ptr_nonnull(data);
	snprintf(path, sizeof(path), "%s/%s", data, name);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(buf, 1, TEXT_MAX / 2, f);
	fclose(f);
	return n;
}

/* One change; BUF has room for TEXT_MAX bytes. */
static size_t mutate_once(char *buf, size_t n)
{
	static const char special[] = "\t\n\\\"'=[]<>&;#-%. \0/\xff\xc3";
	size_t at = below(n), len = below(n - at < 64 ? n - at : 64);

	switch (below(5)) {
	case 0:
		buf[at] = (char)below(256);
		break;
	case 1:
		buf[at] = special[below(sizeof(special) - 1)];
		break;
	case 2: /* cut out */
		memmove(buf + at, buf + at + len, n - at - len);
		return n - len;
	case 3: /* double */
		if (n + len > TEXT_MAX)
			break;
		memmove(buf + at + len, buf + at, n - at);
		return n + len;
	default:
		return below(16) ? n : at; /* seldom: cut off */
	}
	return n;
}

static size_t mutate(const char *seed, size_t n, char *buf)
{
	memcpy(buf, seed, n);
	for (size_t i = below(6) + 1; i > 0 && n > 0; i--)
		n = mutate_once(buf, n);
	return n;
}

static void set_up(void)
{
	static const char *const dirs[] = { "/proc",
					    "/proc/sys",
					    "/proc/sys/kernel",
					    "/proc/sys/kernel/random",
					    "/run",
					    "/run/vfio-hook",
					    NULL };
	static const char boot[] = "b007b007-0000-0000-0000-000000000000\n";
	char path[PATH_MAX];

	state = 1;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (const char *const *d = dirs; *d; d++)
		ck_assert_int_eq(mkdir(host_path(&host, path, "%s", *d), 0700), 0);
	write_file("/proc/sys/kernel/random/boot_id", boot, strlen(boot));
}

static void tear_down(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(test_domain)
{
	static char seed[TEXT_MAX], buf[TEXT_MAX];
	size_t n = read_seed("domain.xml", seed);

	for (unsigned i = 0; i < ROUNDS; i++) {
		_cleanup_(domain_done) struct domain domain = {};
		_cleanup_error_ struct error err = {};
		size_t len = mutate(seed, n, buf);

		if (domain_parse(buf, len, &domain, &err) < 0)
			ck_assert_ptr_null(strchr(error_text(&err), '\n'));
	}
}
END_TEST

START_TEST(test_config)
{
	static const char *const names[] = { "bad/devices.ini", "bad/domain.ini",
					     "bad/indent.ini",	"bad/lines.ini",
					     "bad/steps.ini",	"bad/words.ini" };
	static char seed[TEXT_MAX], buf[TEXT_MAX];
	size_t n = read_seed(names[_i], seed);
	char path[PATH_MAX];

	host_path(&host, path, "/win10.ini");
	for (unsigned i = 0; i < ROUNDS / 6; i++) {
		_cleanup_(config_done) struct config config = {};
		_cleanup_error_ struct error err = {};
		size_t len = mutate(seed, n, buf);
		int r;

		write_file("/win10.ini", buf, len);
		r = config_load(&host, path, &config, &err);
		ck_assert(r == 0 || config.problems.n || err.msg);
	}
}
END_TEST

START_TEST(test_journal)
{
	static const char uuid[] = "11111111-2222-3333-4444-555555555555";
	static char buf[TEXT_MAX];

	for (unsigned i = 0; i < ROUNDS; i++) {
		_cleanup_(journal_done) struct journal journal = { .fd = -1 };
		_cleanup_error_ struct error err = {};
		size_t len = mutate(journal_seed, strlen(journal_seed), buf);

		write_file("/run/vfio-hook/11111111-2222-3333-4444-555555555555.journal",
			   buf, len);
		if (journal_open(&host, uuid, "win 10", true, NULL, &journal, &err) < 0)
			continue;
		ck_assert_int_eq(journal_record(&journal, &state_attr, "/sys/x", "1", "2",
						"", PHASE_PREPARE, &err),
				 0);
		ck_assert_int_eq(journal_reload(&host, &journal, &err), 0);
		ck_assert_ptr_nonnull(journal_find(&journal, &state_attr, "/sys/x"));
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("fuzz");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 100);
	tcase_add_test(tcase, test_domain);
	tcase_add_loop_test(tcase, test_config, 0, 6);
	tcase_add_test(tcase, test_journal);
	return suite_run("fuzz", tcase);
}
