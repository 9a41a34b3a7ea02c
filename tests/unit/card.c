/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "card.h"

struct host host;
const char card_xml[] = "<domain type='kvm'><name>win10</name><uuid>" UUID
			"</uuid><memory>1024</memory></domain>";

static char *before;

void card_setup(void)
{
	faketree_new(&host);
	faketree_module("amdgpu", "amdgpu");
	faketree_module("snd_hda_intel", "snd_hda_intel");
	faketree_module_load("amdgpu");
	faketree_module_load("snd_hda_intel");
	faketree_pci(GPU, "1002:73bf", "030000", "amdgpu", "14");
	faketree_pci(SOUND, "1002:ab28", "040300", "snd_hda_intel", "14");
}

void card_ready(const char *text)
{
	faketree_file(text, CONFIG);
	before = faketree_snapshot();
}

void card_teardown(void)
{
	free(STEAL(before));
	faketree_free();
}

static const char *next(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

void card_assert_as_before(const char *where)
{
	_cleanup_free_ char *after = faketree_snapshot();

	ck_assert_msg(!host_exists(&host, JOURNAL), "%s: the journal is there", where);
	for (const char *a = after, *b = before; *a || *b; a = next(a), b = next(b)) {
		int n = (int)strcspn(a, "\n"), m = (int)strcspn(b, "\n");

		ck_assert_msg(n == m && strncmp(a, b, (size_t)n) == 0,
			      "%s: was %.*s, is %.*s", where, m, b, n, a);
	}
}
