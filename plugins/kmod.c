/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmod.unload and kmod.load: kernel modules, exactly those that are named. modprobe -r
 * would take unused dependencies along, which nobody asked for and undo could not tell
 * from what was wanted.
 */
#include "modules.h"
#include "restore.h"
#include "step.h"
#include "unload.h"

static int module_parse(const struct step *step, struct error *err);
static int load_parse(const struct step *step, struct error *err);
static int unload_apply(struct run *run, const struct step *step, struct error *err);
static int load_check(struct run *run, const struct step *step, struct error *err);
static int load_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec unload_options[] = {
	{ .name = "timeout",
	  .kind = VALUE_DURATION,
	  .def = "30s",
	  .text = "how long to wait for the last user of the modules" },
	{},
};

static const struct option_spec load_options[] = {
	{ .name = "timeout",
	  .kind = VALUE_DURATION,
	  .def = "30s",
	  .text = "how long a load may take" },
	{},
};

static const struct step_type types[] = {
	{
		.action = "unload",
		.summary = "remove kernel modules, in the order given",
		.undo = "loads what it removed, in reverse order, as modprobe would; parameters "
			"that then differ are written back where that is possible",
		.args = "MODULE…",
		.min_args = 1,
		.max_args = 64,
		.phases = PHASE_BIT(PHASE_PREPARE) | PHASE_BIT(PHASE_BOOT) | PHASES_DOWN,
		.timeout_ms = 30000,
		.options = unload_options,
		.parse = module_parse,
		.check = unload_check,
		.apply = unload_apply,
	},
	{
		.action = "load",
		.summary = "load kernel modules, with parameters",
		.undo = "unloads what it loaded, if nobody uses it",
		.args = "MODULE [PARAM=VALUE…]…",
		.min_args = 1,
		.max_args = 64,
		.phases = PHASES_ALL,
		.flags = STEP_FREE_WORDS,
		.timeout_ms = 30000,
		.options = load_options,
		.parse = load_parse,
		.check = load_check,
		.apply = load_apply,
	},
	{},
};

extern const struct plugin plugin_kmod;
const struct plugin plugin_kmod = { .name = "kmod", .types = types };

static bool is_module_name(const char *word)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-";

	return *word && strlen(word) < MODULE_NAME_LEN &&
	       strspn(word, letters) == strlen(word);
}

static int not_a_module(const char *word, struct error *err)
{
	return error_set(
		err, -EINVAL,
		"\"%s\" is no module name: they are made of letters, digits, _ and -, "
		"without .ko",
		word);
}

static int module_parse(const struct step *step, struct error *err)
{
	for (size_t i = 0; i < step->words.n; i++)
		if (!is_module_name(step->words.v[i]))
			return not_a_module(step->words.v[i], err);
	return 0;
}

static int load_parse(const struct step *step, struct error *err)
{
	for (size_t i = 0; i < step->words.n; i++) {
		const char *word = step->words.v[i];

		if (i > 0 && strchr(word, '=') && *word != '=')
			continue;
		if (!is_module_name(word))
			return not_a_module(word, err);
	}
	return 0;
}

static int unload_one(struct run *run, const char *name, struct error *err)
{
	_cleanup_strv_ struct strv params = {};
	_cleanup_free_ char *now = NULL, *joined = NULL;
	int r = state_get(&run->host, &state_module, name, &now, err);

	if (r < 0)
		return r;
	if (!*now) {
		run_note(run, "%s is not loaded", name);
		return 0;
	}
	if (streq(now, "builtin") && run->simulate)
		return 0; /* check() has said it */
	r = kmod_parameters(&run->host, name, &params);
	if (r < 0)
		return error_errno(err, r, "cannot read the parameters of %s", name);
	joined = params.n ? strv_join(&params, " ") : strdup("");
	if (!joined)
		return error_oom(err);
	return effect_set(run, &state_module, name, "", joined, err);
}

static int unload_apply(struct run *run, const struct step *step, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < step->words.n && r == 0; i++) {
		char name[MODULE_NAME_LEN];

		kmod_normalise(step->words.v[i], name, sizeof(name));
		r = unload_one(run, name, err);
	}
	return r;
}

/* One module of kmod.load with its parameters. */
struct load {
	char name[MODULE_NAME_LEN];
	struct strv params;
};

/* The module at word *I; *I moves to the next one. False at the end. */
static bool next_load(const struct strv *words, size_t *i, struct load *ret)
{
	if (*i >= words->n)
		return false;
	kmod_normalise(words->v[(*i)++], ret->name, sizeof(ret->name));
	strv_done(&ret->params);
	ret->params = (struct strv){};
	while (*i < words->n && strchr(words->v[*i], '='))
		if (strv_add(&ret->params, words->v[(*i)++]) < 0)
			return false;
	return true;
}

static int load_check(struct run *run, const struct step *step, struct error *err)
{
	struct load load = {};
	size_t i = 0;
	int r = 0;

	while (r == 0 && next_load(&step->words, &i, &load)) {
		_cleanup_error_ struct error why = {};

		if (!state_is(&run->host, &state_module, load.name, "") ||
		    kmod_available(&run->host, load.name, &why) >= 0)
			continue;
		r = run_problem_why(run, -ENOENT, err, &why);
	}
	strv_done(&load.params);
	return r;
}

/* Booleans are given as 1, y, yes or on, and read as Y. */
static bool same_value(const char *a, const char *b)
{
	static const char yes[] = "|1|y|Y|yes|on|", no[] = "|0|n|N|no|off|";
	char x[16], y[16];

	if (streq(a, b))
		return true;
	if (strlen(a) > 8 || strlen(b) > 8)
		return false;
	snprintf(x, sizeof(x), "|%s|", a);
	snprintf(y, sizeof(y), "|%s|", b);
	return (strstr(yes, x) && strstr(yes, y)) || (strstr(no, x) && strstr(no, y));
}

/* Reports those parameters that the loaded module has with another value. */
static void warn_other_parameters(struct run *run, const struct load *load)
{
	_cleanup_strv_ struct strv now = {};

	if (kmod_parameters(&run->host, load->name, &now) < 0)
		return;
	for (size_t i = 0; i < load->params.n; i++) {
		const char *wanted = load->params.v[i];
		size_t n = strcspn(wanted, "=") + 1;

		for (size_t j = 0; j < now.n; j++)
			if (strncmp(now.v[j], wanted, n) == 0 &&
			    !same_value(now.v[j] + n, wanted + n)) {
				run_cure(run, "kmod.unload = %s", load->name);
				run_warn(run,
					 "%s was loaded before with %s, not %s: add a "
					 "kmod.unload of it above, or set it in modprobe.d",
					 load->name, now.v[j], wanted);
			}
	}
}

/* What it needs and is not there: a record each, so that undo takes all of it away. */
static int load_needed(struct run *run, const struct load *load, struct error *err)
{
	_cleanup_strv_ struct strv order = {};
	int r = 0;

	if (!phase_goes_up(run->event.phase) ||
	    !state_is(&run->host, &state_module, load->name, "") ||
	    kmod_load_order(&run->host, load->name, &order) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < order.n && !streq(order.v[i], load->name); i++)
		r = effect_set(run, &state_module, order.v[i], "loaded", NULL, err);
	return r;
}

static int load_one(struct run *run, const struct load *load, struct error *err)
{
	_cleanup_free_ char *params = NULL;
	bool known;
	int r;

	/* On the way down: with what it had when we unloaded it. */
	if (!phase_goes_up(run->event.phase)) {
		r = restore_if_known(run, &state_module, load->name, &known, err);
		if (known)
			return r;
	}
	if (state_is(&run->host, &state_module, load->name, "builtin"))
		return 0;
	if (module_is_loaded(&run->host, load->name))
		warn_other_parameters(run, load);
	params = load->params.n ? strv_join(&load->params, " ") : strdup("");
	if (!params)
		return error_oom(err);
	r = load_needed(run, load, err);
	return r < 0 ? r :
		       effect_set(run, &state_module, load->name, "loaded", params, err);
}

static int load_apply(struct run *run, const struct step *step, struct error *err)
{
	struct load load = {};
	size_t i = 0;
	int r = 0;

	while (r == 0 && next_load(&step->words, &i, &load))
		r = load_one(run, &load, err);
	strv_done(&load.params);
	return r;
}
