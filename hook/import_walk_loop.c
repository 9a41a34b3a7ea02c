/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loops: counted ones run as often as they say; those that wait or try again are what the
 * steps do by themselves.
 */
#include "import.h"
#include "pci.h"

#define LOOPS_MAX 256

/* After a round: does the loop go on? */
static bool goes_on(struct import *im)
{
	bool on = im->go == GO_ON || im->go == GO_CONTINUE;

	if (im->go == GO_BREAK || im->go == GO_CONTINUE)
		im->go = GO_ON;
	return on;
}

/*
 * …/ADDRESS/iommu_group/devices/ and a star, or $(ls …): the body is read for ADDRESS, and
 * what is taken is the whole group. NULL: WORD is another one.
 */
static const char *device_of_group(struct import *im, const char *word)
{
	const char *shown = import_shown(im, word), *list = str_after(shown, "$(ls ");
	const char *at = str_after(list ?: shown, "/sys/bus/pci/devices/");
	size_t n = at ? strcspn(at, "/") : 0;

	if (at && list &&
	    STR_IN(at + n, "/iommu_group/devices)", "/iommu_group/devices/)"))
		return arena_strndup(&im->arena, at, n);
	if (!at || !is_known(word) || !streq(at + n, "/iommu_group/devices/*"))
		return NULL;
	return arena_strndup(&im->arena, shown, (size_t)(at - shown) + n);
}

static bool names_device(const struct act *act, const char *device)
{
	struct pci_addr a, b;
	char x[PCI_ADDR_LEN], y[PCI_ADDR_LEN];
	bool found = false;

	if (pci_parse_addr(device, &a, NULL) < 0)
		return false;
	pci_format_addr(&a, x);
	for (size_t i = 0; i < act->words.n && !found; i++)
		if (pci_parse_addr(act->words.v[i], &b, NULL) == 0) {
			pci_format_addr(&b, y);
			found = streq(x, y);
		}
	return found;
}

static void take_group(struct import *im, const char *device)
{
	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];

		if (act_is(act, "pci.detach") && act->phase == im->phase &&
		    names_device(act, path_base(device)) &&
		    !words_have(&act->options, "group=whole"))
			act_option(im, act, "group=whole");
	}
}

enum truth import_walk_for(struct import *im, const struct node *node)
{
	struct words words = { 0 };

	for (size_t i = 0; i < node->words.n; i++)
		import_expand(im, node->words.v[i], &words);
	for (size_t i = 0; i < words.n && i < LOOPS_MAX; i++) {
		const char *device = device_of_group(im, words.v[i]);

		import_set_text(im, node->name, device ?: words.v[i]);
		import_walk(im, node->b);
		if (device)
			take_group(im, device);
		if (!goes_on(im))
			break;
	}
	if (words.n > LOOPS_MAX)
		act_left(im, node, "only its first %d rounds were looked at", LOOPS_MAX);
	return TRUE;
}

/*
 * How often it runs is not known, and so the value that it counts with: $(seq …), as
 * another loop would have it, where that can be said.
 */
static void count_unknown(struct import *im, const char *init, const char *condition,
			  const char *step)
{
	size_t n = import_name_length(init + strspn(init, " "));
	char *name = arena_strndup(&im->arena, init + strspn(init, " "), n);
	const struct words *from = import_get(im, name);
	const char *at = condition + strspn(condition, " "), *to, *text;
	bool plus =
		streq(step + strspn(step, " "), arena_printf(&im->arena, "%s++", name)) ||
		streq(step + strspn(step, " "), arena_printf(&im->arena, "++%s", name));

	if (n == 0)
		return;
	text = arena_printf(&im->arena, "$%s", name);
	to = str_after(at, name);
	to = to && plus ? str_after(to + strspn(to, " "), "<") : NULL;
	if (to && from && from->n == 1 && is_known(from->v[0])) {
		bool equal = *to == '=';
		const struct words *value;

		to += equal;
		to = import_expand_text(im, to + strspn(to, " "));
		value = import_get(im, to);
		if (value && value->n == 1)
			to = value->v[0];
		text = arena_printf(&im->arena,
				    equal ? "$(seq %s %s)" : "$(seq %s $((%s-1)))",
				    from->v[0], to);
	}
	import_set_text(im, name, import_unknown(im, text));
}

enum truth import_walk_count(struct import *im, const struct node *node)
{
	char *init = arena_strndup(&im->arena, node->name, strlen(node->name));
	char *condition = strchr(init, ';'),
	     *step = condition ? strchr(condition + 1, ';') : NULL;
	long long n;

	if (!step) {
		act_left(im, node, "its counting is not understood");
		return UNKNOWN;
	}
	*condition++ = *step++ = '\0';
	import_arith(im, init, &n);
	for (int i = 0; i < LOOPS_MAX; i++) {
		bool known = import_arith(im, condition, &n);

		if (known && !n)
			break;
		if (!known)
			count_unknown(im, init, condition, step);
		import_walk(im, node->b);
		if (!goes_on(im) || !known)
			break;
		import_arith(im, step, &n);
	}
	return TRUE;
}

static const struct node *only_command(const struct node *list)
{
	const struct node *node = list->kind == NODE_LIST ? list->first : list;

	return node && !node->next && node->kind == NODE_COMMAND ? node : NULL;
}

/* while read NAME: with what the state file holds, else once with what nobody knows. */
static bool is_read(struct import *im, const struct node *node)
{
	const struct node *command = only_command(node->a);
	const struct words *file = NULL;
	size_t i = 0;

	while (command && i < command->words.n && str_after(command->words.v[i], "IFS="))
		i++;
	if (!command || i >= command->words.n || !streq(command->words.v[i], "read"))
		return false;
	for (size_t k = 0; k < node->n_redirs; k++)
		if (node->redirs[k].op == REDIR_IN)
			file = import_file(im,
					   import_expand_text(im, node->redirs[k].word));
	for (i++; i < command->words.n; i++) {
		const char *name = command->words.v[i];

		if (*name == '-' || import_name_length(name) != strlen(name))
			continue;
		import_set_text(im, name,
				file && file->n ? file->v[0] :
				im->piped	? im->piped :
					    import_unknown(im, arena_printf(&im->arena,
									    "$%s", name)));
		file = NULL;
	}
	return true;
}

static bool all_are(const struct acts *acts, size_t from, const char *const *keys)
{
	for (size_t i = from; i < acts->n; i++) {
		bool found = acts->v[i].kind == ACT_NOTE;

		for (const char *const *key = keys; *key && !found; key++)
			found = acts->v[i].kind == ACT_STEP &&
				streq(acts->v[i].key, *key);
		if (!found)
			return false;
	}
	return true;
}

static bool has_key(const struct import *im, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (im->acts.v[i].kind == ACT_STEP && im->acts.v[i].phase == im->phase &&
		    streq(im->acts.v[i].key, key))
			return true;
	return false;
}

/* Steps that try until their timeout: a round of them is enough. */
static bool keep_round(struct import *im, size_t from)
{
	static const char *const keys[] = { "kmod.unload", "pci.detach",   "service.stop",
					    "wait.sleep",  "process.stop", "holders.kill",
					    NULL };

	if (!all_are(&im->acts, from, keys))
		return false;
	for (size_t i = from; i < im->acts.n;)
		if (act_is(&im->acts.v[i], "wait.sleep"))
			acts_remove(&im->acts, i);
		else
			i++;
	return true;
}

/* One that goes on until the machine is as it should be. */
static enum truth walk_until(struct import *im, const struct node *node, size_t from)
{
	static const char *const waiting[] = { "wait.sleep", NULL };
	static const char *const pages[] = { "hugepages.allocate", "sysctl.write",
					     "wait.sleep", NULL };

	import_walk(im, node->b);
	goes_on(im);
	if (im->go != GO_ON && acts_count(&im->acts, from, ACT_STEP) == 0)
		im->go = GO_ON; /* gives up after a while: so do steps */
	if (all_are(&im->acts, from, waiting) && from > 0) {
		acts_cut(&im->acts, from);
		act_note(im, node,
			 "a loop that waits is left out: steps wait by themselves");
		return TRUE;
	}
	if (all_are(&im->acts, from, pages) &&
	    (has_key(im, from, "hugepages.allocate") || im->acts.n > from)) {
		if (has_key(im, from, "hugepages.allocate"))
			acts_cut(&im->acts, from);
		act_note(im, node,
			 "the loop is left out: the step tries until its timeout");
		return TRUE;
	}
	if (keep_round(im, from)) {
		act_note(im, node, "a loop that tries again is left out: the step does");
		return TRUE;
	}
	acts_cut(&im->acts, from);
	act_left(im, node, "how often it runs is not known");
	return UNKNOWN;
}

static bool is_endless(const struct node *node)
{
	const struct node *command = only_command(node->a);

	return command && command->words.n == 1 &&
	       (streq(command->words.v[0], "true") || streq(command->words.v[0], ":"));
}

enum truth import_walk_while(struct import *im, const struct node *node)
{
	if (is_endless(node))
		return walk_until(im, node, im->acts.n);
	if (is_read(im, node)) {
		import_walk(im, node->b);
		goes_on(im);
		return TRUE;
	}
	for (int i = 0; i < LOOPS_MAX; i++) {
		size_t from = im->acts.n;
		enum truth truth = import_walk(im, node->a);
		bool steps = acts_count(&im->acts, from, ACT_STEP) > 0;

		if (node->negated)
			truth = truth_not(truth);
		if (truth == FALSE || steps) /* a step tries again by itself */
			return TRUE;
		if (truth != TRUE)
			return walk_until(im, node, im->acts.n);
		import_walk(im, node->b);
		if (!goes_on(im))
			return TRUE;
	}
	act_left(im, node, "it does not come to an end");
	return UNKNOWN;
}
