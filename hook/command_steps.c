/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook steps: what a config may have, from the table that the parser uses.
 */
#include "command.h"
#include "print.h"

static int no_step(const char *key)
{
	_cleanup_strv_ struct strv keys = {};
	char name[64], guess[GUESS_LEN];
	int r = 0;

	for (const struct plugin *const *p = step_plugins(); *p; p++)
		for (const struct step_type *type = (*p)->types; type->summary && r == 0;
		     type++)
			r = strv_add(&keys, step_type_name(*p, type, name));
	return usage_error(&command_steps,
			   "there is no step %s%s (vfio-hook steps lists them)", key,
			   did_you_mean(guess, key, &keys));
}

static bool is_known(const char *word)
{
	for (const struct plugin *const *p = step_plugins(); *p; p++)
		if (streq((*p)->name, word))
			return true;
	return step_find(word, NULL) != NULL;
}

static int steps_run(const struct command_options *options, int argc, char **argv)
{
	const char *word = argc ? argv[0] : NULL;

	if (word && !is_known(word))
		return no_step(word);
	if (options->json)
		print_steps_json(word, stdout);
	/* "pci" is what there is of it, "undo" a step itself. */
	else if (word && step_find(word, NULL))
		print_step(word, stdout);
	else
		print_steps(word, stdout);
	return STATUS_OK;
}

const struct command command_steps = {
	.name = "steps",
	.args = "[STEP]",
	.summary = "the steps and their arguments",
	.max_args = 1,
	.options = COMMAND_JSON,
	.run = steps_run,
	.help = "Without STEP: all steps, a line each; with the part before the dot, as pci: its\n"
		"own. With one: its options, the phases where it is legal and what its undo does,\n"
		"from the table that the parser uses.",
};
