/* device.c - the machine each operating system gets
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/device.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define HV_7 ",hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_time," \
	"hv_vpindex,hv_runtime,hv_synic,hv_stimer,hv_frequencies"
#define HV_10 HV_7 ",hv_reset,hv_tlbflush,hv_ipi,hv_stimer_direct"

/* UHCI and EHCI came with every one of these; xHCI only after Windows 7. */
static const char *const usb_2[] = { "piix3-usb-uhci,id=uhci",
				     "usb-ehci,id=ehci",
				     "usb-tablet,bus=uhci.0", NULL };
static const char *const usb_3[] = { "qemu-xhci,id=xhci",
				     "usb-tablet,bus=xhci.0", NULL };
static const char *const ac97[] = { "AC97,audiodev=sound", NULL };
static const char *const hda[] = { "intel-hda", "hda-duplex,audiodev=sound",
				   NULL };
static const char *const ich9_hda[] = { "ich9-intel-hda",
					"hda-duplex,audiodev=sound", NULL };

static const struct rt_device devices[] = {
	[RT_XP] = {
		.machine = "pc-i440fx-7.2,hpet=off",
		.cpu_hw = "Penryn", .cpu_sw = "Penryn",
		.usb = usb_2, .video = "VGA", .nic = "rtl8139",
		.sound = ac97, .disk = RT_IDE,
		.memory = 512, .memory_max = 3584, .cpus = 1, .cpus_max = 4,
	},
	[RT_VISTA] = {
		.machine = "pc-i440fx-7.2,hpet=off",
		.cpu_hw = "Penryn,hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_time",
		.cpu_sw = "Penryn",
		.usb = usb_2, .video = "VGA", .nic = "e1000",
		.sound = hda, .disk = RT_IDE,
		.memory = 1024, .memory_max = 65536, .cpus = 1, .cpus_max = 16,
	},
	[RT_WIN7] = {
		.machine = "pc-i440fx-7.2,hpet=off",
		.cpu_hw = "Westmere" HV_7, .cpu_sw = "Westmere",
		.usb = usb_2, .video = "VGA", .nic = "e1000",
		.sound = hda, .disk = RT_AHCI,
		.memory = 2048, .memory_max = 196608, .cpus = 2, .cpus_max = 64,
	},
	[RT_WIN10] = {
		.machine = "pc-q35-7.2,hpet=off", .uefi = true,
		.cpu_hw = "host" HV_10, .cpu_sw = "max",
		.usb = usb_3, .xhci = true, .video = "VGA", .nic = "e1000e",
		.sound = ich9_hda, .disk = RT_AHCI, .tpm = RT_TPM_KNOWN,
		.memory = 4096, .memory_max = 1048576, .cpus = 2, .cpus_max = 64,
	},
	[RT_WIN11] = {
		.machine = "pc-q35-7.2,hpet=off", .uefi = true,
		.cpu_hw = "host" HV_10, .cpu_sw = "max",
		.usb = usb_3, .xhci = true, .video = "VGA", .nic = "e1000e",
		.sound = ich9_hda, .disk = RT_AHCI, .tpm = RT_TPM_WANTED,
		.memory = 4096, .memory_max = 1048576, .cpus = 2, .cpus_max = 64,
	},
};

static const char firmware[] = "/usr/share/OVMF/OVMF_CODE_4M.fd";
static const char vars[] = "/usr/share/OVMF/OVMF_VARS_4M.fd";

const struct rt_device *
rt_device(enum rt_os os)
{
	return &devices[os];
}

const char *
rt_device_firmware(void)
{
	return access(firmware, R_OK) == 0 ? firmware : NULL;
}

const char *
rt_device_vars(void)
{
	return access(vars, R_OK) == 0 ? vars : NULL;
}

/* The guest waits while the block server is started again; an error that it
 * would see stops it (disk full), rather than reach its file system.  The NVMe
 * model has no such policy of its own. */
#define ON_ERROR "rerror=stop,werror=stop"

static void
add_node(struct rt_words *w, const struct rt_machine *m, const char *name)
{
	rt_words_opt(w, "-blockdev", "driver=nbd,node-name=%s,"
		     "server.type=unix,server.path=%s,export=%s,"
		     "reconnect-delay=60,discard=unmap", name, m->socket, name);
}

/* The controller's nth disk; the first is started from. */
static void
add_disk(struct rt_words *w, enum rt_disk kind, const char *name, int n)
{
	const char *boot = n == 0 ? ",bootindex=1" : "";

	switch (kind) {
	case RT_IDE:
		rt_words_opt(w, "-device", "ide-hd,drive=%s,bus=ide.0,unit=%d,"
			     ON_ERROR "%s", name, n, boot);
		break;
	case RT_AHCI:
		rt_words_opt(w, "-device", "ide-hd,drive=%s,bus=ahci.%d,"
			     ON_ERROR "%s", name, n, boot);
		break;
	case RT_VIRTIO_BLK:
		rt_words_opt(w, "-device", "virtio-blk-pci,drive=%s," ON_ERROR
			     "%s", name, boot);
		break;
	case RT_VIRTIO_SCSI:
		rt_words_opt(w, "-device", "scsi-hd,drive=%s,bus=scsi.0,lun=%d,"
			     ON_ERROR "%s", name, n, boot);
		break;
	case RT_NVME:
		rt_words_opt(w, "-device", "nvme,drive=%s,serial=%s%s", name,
			     name, boot);
		break;
	}
}

static void
add_disks(struct rt_words *w, const struct rt_machine *m)
{
	enum rt_disk kind = m->guest->disk;

	if (kind == RT_AHCI)
		rt_words_opt(w, "-device", "ich9-ahci,id=ahci");
	if (kind == RT_VIRTIO_SCSI)
		rt_words_opt(w, "-device", "virtio-scsi-pci,id=scsi");
	add_node(w, m, "system");
	add_disk(w, kind, "system", 0);
	if (m->guest->user == NULL)
		return;
	add_node(w, m, "user");
	add_disk(w, kind, "user", 1);
}

static void
add_firmware(struct rt_words *w, const struct rt_machine *m)
{
	rt_words_opt(w, "-blockdev", "driver=file,node-name=code,read-only=on,"
		     "auto-read-only=off,filename=%s", firmware);
	rt_words_opt(w, "-add-fd", "fd=%d,set=%d", m->vars_fd, m->vars_fd);
	rt_words_opt(w, "-blockdev", "driver=file,node-name=vars,locking=off,"
		     "filename=/dev/fdset/%d", m->vars_fd);
	rt_words_opt(w, "-machine", "pflash0=code,pflash1=vars");
}

/* A chardev that appends to a file whose descriptor QEMU inherits. */
static void
add_log(struct rt_words *w, const char *id, int fd)
{
	rt_words_opt(w, "-add-fd", "fd=%d,set=%d", fd, fd);
	rt_words_opt(w, "-chardev", "file,id=%s,path=/dev/fdset/%d,append=on",
		     id, fd);
}

static void
add_ports(struct rt_words *w, const struct rt_machine *m)
{
	rt_words_opt(w, "-chardev", "socket,id=qmp,fd=%d", m->qmp_fd);
	rt_words_opt(w, "-mon", "chardev=qmp,mode=control");
	add_log(w, "debug", m->debug_fd);
	rt_words_opt(w, "-device", "isa-debugcon,iobase=0xe9,chardev=debug");
	add_log(w, "serial", m->serial_fd);
	rt_words_opt(w, "-device", "isa-serial,chardev=serial");
}

/* The card, and what its other end is. */
static void
add_network(struct rt_words *w, const struct rt_machine *m,
	    const struct rt_device *d)
{
	/* The last half of the guest's own number, so that the card's address is
	 * as lasting as the guest. */
	const char *u = m->uuid + strlen(m->uuid) - 6;

	if (m->guest->net == RT_NET_NONE)
		return;
	if (m->guest->net == RT_NET_NAT)
		rt_words_opt(w, "-netdev", "dgram,id=net,local.type=fd,"
			     "local.str=%d", m->net_fd);
	else
		rt_words_opt(w, "-netdev", "user,id=net,restrict=on");
	rt_words_opt(w, "-device", "%s,netdev=net,mac=52:54:00:%.2s:%.2s:%.2s",
		     d->nic, u, u + 2, u + 4);
}

/* A screen that listens nowhere: viewers come by descriptor, and what they hear
 * goes the same way. */
static void
add_desk(struct rt_words *w, const struct rt_guest *g)
{
	bool spice = g->display == RT_DISPLAY_SPICE;

	if (g->display == RT_DISPLAY_VNC)
		rt_words_opt(w, "-vnc", "none%s", g->sound ? ",audiodev=sound"
							   : "");
	else
		rt_words_opt(w, "-display", "none");
	if (spice)
		rt_words_opt(w, "-spice", "disable-ticketing=on,"
			     "disable-agent-file-xfer=on%s", g->clipboard ? ""
			     : ",disable-copy-paste=on");
	rt_words_opt(w, "-audiodev", "%s,id=sound",
		     spice && g->sound ? "spice" : "none");
}

/* The last device of all: with or without it, the others stay in their slots. */
static void
add_clipboard(struct rt_words *w, const struct rt_guest *g)
{
	static const char *const channels[] = {
		[RT_DISPLAY_VNC] = "qemu-vdagent,id=vdagent,name=vdagent,"
			"clipboard=on",
		[RT_DISPLAY_SPICE] = "spicevmc,id=vdagent,name=vdagent",
	};

	if (!g->clipboard)
		return;
	rt_words_opt(w, "-chardev", "%s", channels[g->display]);
	rt_words_opt(w, "-device", "virtio-serial-pci,id=serial");
	rt_words_opt(w, "-device", "virtserialport,bus=serial.0,chardev=vdagent,"
		     "name=com.redhat.spice.0");
}

static void
add_tpm(struct rt_words *w, const struct rt_machine *m)
{
	if (!m->guest->tpm)
		return;
	rt_words_opt(w, "-chardev", "socket,id=tpm,fd=%d", m->tpm_fd);
	rt_words_opt(w, "-tpmdev", "emulator,id=tpm,chardev=tpm");
	rt_words_opt(w, "-device", "tpm-crb,tpmdev=tpm");
}

static void
add_devices(struct rt_words *w, const struct rt_machine *m,
	    const struct rt_device *d)
{
	for (const char *const *u = d->usb; *u != NULL; u++)
		rt_words_opt(w, "-device", "%s", *u);
	rt_words_opt(w, "-device", "%s", d->video);
	/* A guest without a driver for it shows one unknown device. */
	if (m->guest->health.given)
		rt_words_opt(w, "-device", "pvpanic");
	for (const char *const *s = d->sound; *s != NULL; s++)
		rt_words_opt(w, "-device", "%s", *s);
	add_network(w, m, d);
	add_tpm(w, m);
	add_clipboard(w, m->guest);
}

int
rt_device_argv(const struct rt_machine *m, const char *program,
	       struct rt_words *ret, struct err *e)
{
	const struct rt_guest *g = m->guest;
	const struct rt_device *d = rt_device(g->os);
	RT_WORDS_SCOPED struct rt_words w = RT_WORDS_EMPTY;

	if (d->uefi && rt_device_firmware() == NULL)
		return err_set(e, ERR_UNSUPPORTED, "%s: not there, and %s starts "
			       "with UEFI; install the package ovmf", firmware,
			       rt_os_words[g->os]);
	rt_words_add(&w, program);
	rt_words_add(&w, "-nodefaults");
	rt_words_add(&w, "-no-user-config");
	rt_words_opt(&w, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,"
		     "spawn=deny,resourcecontrol=deny");
	rt_words_opt(&w, "-name", "guest=%s", g->name);
	rt_words_opt(&w, "-uuid", "%s", m->uuid);
	rt_words_opt(&w, "-machine", "%s", d->machine);
	rt_words_opt(&w, "-accel", m->kvm ? "kvm" : "tcg");
	rt_words_opt(&w, "-cpu", "%s", m->kvm ? d->cpu_hw : d->cpu_sw);
	rt_words_opt(&w, "-smp", "cpus=%u,sockets=1,cores=%u,threads=1",
		     g->cpus, g->cpus);
	rt_words_opt(&w, "-m", "%uM", g->memory);
	rt_words_opt(&w, "-rtc", "base=localtime,driftfix=slew");
	if (m->kvm)
		rt_words_opt(&w, "-global", "kvm-pit.lost_tick_policy=delay");
	rt_words_opt(&w, "-boot", "strict=on,menu=off");
	add_desk(&w, g);
	rt_words_opt(&w, "-action", "panic=pause");
	if (d->uefi)
		add_firmware(&w, m);
	add_ports(&w, m);
	add_disks(&w, m);
	add_devices(&w, m, d);
	/* Nothing runs before the supervisor has seen every disk. */
	rt_words_add(&w, "-S");
	if (rt_words_ok(&w, e) < 0)
		return -1;
	*ret = TAKE(w);
	return 0;
}
