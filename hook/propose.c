/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A first config, written for the one domain and this host: only steps that have
 * something to do here, each with its reason.
 */
#include "desktop.h"
#include "group.h"
#include "modules.h"
#include "propose.h"
#include "systemd.h"

static void write_head(const struct proposal *p, FILE *out)
{
	char word[SHELL_WORD_MAX];
	const char *name = shell_word(p->call->run.event.domain, word, sizeof(word));

	fprintf(out,
		"; What vfio-hook does when libvirt starts the domain. Made from its XML and\n"
		"; this host by `vfio-hook init`. Read it, then, before the first start:\n"
		";\n"
		";   vfio-hook check %s     all that would stop the start\n"
		";   vfio-hook plan %s      shows what would be changed, and changes nothing\n"
		";   vfio-hook test %s      takes the devices for 20 seconds and gives them back\n"
		";\n"
		"; There is no section for the way back: when the guest ends, all that was\n"
		"; changed here is put back, newest first. man 5 vfio-hook.conf explains every\n"
		"; step.\n",
		name, name, name);
}

static void write_set(const struct proposed_set *set, FILE *out)
{
	const struct inventory_item *first = set->items[0];

	for (size_t i = 0; i < set->n; i++)
		fprintf(out, "; %s: %s\n", pci_class_text(&set->items[i]->fn),
			set->items[i]->name);
	for (size_t i = 0; i < set->n_missing; i++)
		fprintf(out, "; not in the domain's XML%s: %s, %s\n",
			set->whole ? ", but it goes along" : "", set->missing[i]->fn.name,
			pci_class_text(&set->missing[i]->fn));
	fprintf(out, "%s =", set->name);
	if (set->whole)
		fprintf(out, " %.*s*", (int)strlen(first->fn.name) - 1, first->fn.name);
	for (size_t i = 0; i < (set->whole ? 1 : set->n); i++) {
		if (!set->whole)
			fprintf(out, " %s", set->items[i]->fn.name);
		fprintf(out, " id=%04x:%04x", (unsigned)set->items[i]->fn.vendor,
			(unsigned)set->items[i]->fn.id);
	}
	putc('\n', out);
}

static void write_devices(const struct proposal *p, FILE *out)
{
	for (size_t i = 0; i < p->absent.n; i++)
		fprintf(out, "\n; %s is in the XML, but this host has no such device.\n",
			p->absent.v[i]);
	if (!p->n)
		return;
	fputs("\n[devices]\n"
	      "; With id= the start is refused when another device sits at the address one\n"
	      "; day, as it happens after a card was added or moved.\n",
	      out);
	for (size_t i = 0; i < p->n; i++)
		write_set(&p->sets[i], out);
}

static void write_tuning(const struct proposal *p, FILE *out)
{
	const struct host *host = &p->call->run.host;
	_cleanup_strv_ struct strv policies = {};

	if (p->call->run.domain->hugepages)
		fputs("; How much and what size comes from <memory> and <memoryBacking> in "
		      "the XML.\n"
		      "hugepages.allocate =\n",
		      out);
	else
		fputs("; The guest's memory is not in huge pages. For that, put\n"
		      "; <memoryBacking><hugepages/></memoryBacking> into the XML, and here:\n"
		      ";   hugepages.allocate =\n",
		      out);
	if (host_list(host, &policies, "/sys/devices/system/cpu/cpufreq") == 0 &&
	    policies.n)
		fputs("; '-': a failure of this does not stop the start.\n"
		      "-governor.set = performance\n",
		      out);
}

/* *RET: as services are called here; only systemd's have a suffix. */
static bool has_service(const struct host *host, const char *name, char **ret)
{
	_cleanup_error_ struct error err = {};

	return unit_target(host, name, NULL, ret, &err) == 0;
}

static bool is_active(const struct host *host, const char *target)
{
	_cleanup_free_ char *state = NULL;
	_cleanup_error_ struct error err = {};

	return unit_state(host, target, &state, &err) == 0 && streq(state, "active");
}

/* By the alias where there is one, as it outlives a change; else those that run, or all. */
static int find_managers(const struct host *host, struct strv *ret)
{
	_cleanup_strv_ struct strv all = {};
	const char *name;
	int r = 0;

	for (size_t i = 0; (name = desktop_manager(i)) && r >= 0; i++) {
		_cleanup_free_ char *target = NULL;

		if (!has_service(host, name, &target) || strv_contains(&all, target))
			continue;
		if (i == 0)
			return strv_add(ret, systemd_is_running(host) ?
						     "display-manager.service" :
						     name);
		r = strv_add(&all, target);
		if (r >= 0 && is_active(host, target))
			r = strv_add(ret, target);
	}
	for (size_t i = 0, none = !ret->n; r >= 0 && none && i < all.n; i++)
		r = strv_add(ret, all.v[i]);
	return r;
}

static void write_managers(const struct host *host, const struct strv *managers, FILE *out)
{
	_cleanup_free_ char *joined = strv_join(managers, " ");

	if (managers->n && joined)
		fprintf(out, "service.stop = %s\n", joined);
	else if (!host_exists(host, "/run/systemd/seats"))
		fputs("; exec.run = PROGRAM that stops the desktop: no display manager is "
		      "known here\n"
		      "; exec.undo = PROGRAM that starts it again\n",
		      out);
}

static void write_desktop(const struct proposal *p, const struct strv *managers, FILE *out)
{
	const struct host *host = &p->call->run.host;

	fputs("\n; The host's own screen is on this card: what uses it has to end. A unit that\n"
	      "; does not run is left alone, and not started later.\n",
	      out);
	if (systemd_is_running(host))
		fputs("; Sound servers of whoever sits there, which stop with their sockets; "
		      "what is\n; not there is passed over.\n"
		      "-service.stop = seat=seat0 pipewire-pulse.socket pipewire.socket "
		      "pulseaudio.socket\n",
		      out);
	write_managers(host, managers, out);
	if (host_exists(host, "/run/systemd/seats"))
		fputs("; The login goes down with the display manager, but takes a moment.\n"
		      "; force=yes ends what does not go, and one from a text console. One "
		      "way.\n"
		      "session.end = seat=seat0 timeout=15s\n",
		      out);
}

static bool has_framebuffer_console(const struct host *host)
{
	_cleanup_strv_ struct strv names = {};
	char name[128];

	if (host_list(host, &names, "/sys/class/vtconsole") < 0)
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (host_read(host, name, sizeof(name), "/sys/class/vtconsole/%s/name",
			      names.v[i]) > 0 &&
		    strstr(name, "frame buffer"))
			return true;
	return false;
}

static bool has_firmware_framebuffer(const struct host *host)
{
	_cleanup_strv_ struct strv names = {};

	if (host_list(host, &names, "/sys/bus/platform/devices") < 0)
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (strstr(names.v[i], "-framebuffer"))
			return true;
	return false;
}

static void write_consoles(const struct proposal *p, FILE *out)
{
	const struct host *host = &p->call->run.host;
	bool console = has_framebuffer_console(host);
	bool firmware = has_firmware_framebuffer(host);

	if (console || firmware)
		fputs("; The text consoles, and the picture that the firmware left in the "
		      "card's memory.\n",
		      out);
	if (console)
		fputs("vtconsole.unbind =\n", out);
	if (firmware)
		fputs("framebuffer.unbind =\n", out);
}

static void write_nvidia(const struct proposal *p, FILE *out)
{
	static const char *const stack[] = { "nvidia_uvm", "nvidia_drm", "nvidia_modeset",
					     "nvidia" };
	const struct host *host = &p->call->run.host;
	_cleanup_free_ char *persistenced = NULL;

	if (has_service(host, "nvidia-persistenced", &persistenced))
		fprintf(out, "-service.stop = %s\n", persistenced);
	if (p->nvidia_stays) {
		fputs("; Another card needs the nvidia module: this one leaves it while it is "
		      "loaded,\n; after proof that nobody uses it.\n",
		      out);
		return;
	}
	fputs("; nvidia never returns from an unbind of a card in use: so its modules go "
	      "first,\n; and a refusal to go is harmless.\n"
	      "kmod.unload = timeout=30s",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(stack); i++)
		if (i == ARRAY_SIZE(stack) - 1 || module_is_loaded(host, stack[i]))
			fprintf(out, " %s", stack[i]);
	putc('\n', out);
}

/* Other drivers let go of one card; some cards come back better from an unload. */
static void write_other_modules(const struct proposal *p, FILE *out)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->sets[i].n; k++) {
			const struct inventory_item *item = p->sets[i].items[k];

			if (item->fn.class >> 16 != PCI_BASE_DISPLAY || !*item->module ||
			    streq(item->driver, "nvidia") ||
			    str_after(item->driver, "vfio"))
				continue;
			fprintf(out,
				"; %s lets go of a single card, so its module may stay. If "
				"yours does not\n; come back well from that:\n"
				";   kmod.unload = timeout=30s %s\n",
				item->driver, item->module);
			return;
		}
}

static void write_detach(const struct proposal *p, FILE *out)
{
	if (p->outside)
		fputs("; group=whole: the rest of the IOMMU group goes along, as VFIO wants "
		      "it.\n",
		      out);
	fprintf(out, "pci.detach = timeout=15s%s%s", p->outside ? " group=whole" : "",
		p->nvidia && p->nvidia_stays ? " while-loaded=yes" : "");
	for (size_t i = 0; i < p->n; i++)
		fprintf(out, " %s", p->sets[i].name);
	putc('\n', out);
}

/* Nothing below says that the host's only picture is to go, so this must. */
static void write_headless(const struct proposal *p, const struct strv *managers,
			   FILE *out)
{
	const struct host *host = &p->call->run.host;

	if (!p->display || managers->n || host_exists(host, "/run/systemd/seats") ||
	    (p->nvidia && !p->nvidia_stays) || has_framebuffer_console(host) ||
	    has_firmware_framebuffer(host))
		return;
	fputs("\n[domain]\n"
	      "; The host's only picture goes with the card.\n"
	      "headless = yes\n",
	      out);
}

int propose_config(const struct call *call, const struct inventory *inventory, FILE *out)
{
	_cleanup_(proposal_done) struct proposal p = {};
	_cleanup_strv_ struct strv managers = {};

	if (proposal_make(call, inventory, &p) < 0 ||
	    (p.display && find_managers(&call->run.host, &managers) < 0))
		return -ENOMEM;
	write_head(&p, out);
	write_headless(&p, &managers, out);
	write_devices(&p, out);
	fputs("\n[prepare/begin]\n", out);
	write_tuning(&p, out);
	if (p.display) {
		write_desktop(&p, &managers, out);
		write_consoles(&p, out);
	}
	if (p.n)
		putc('\n', out);
	if (p.nvidia)
		write_nvidia(&p, out);
	if (p.display)
		write_other_modules(&p, out);
	if (p.n)
		write_detach(&p, out);
	return ferror(out) ? -EIO : 0;
}
