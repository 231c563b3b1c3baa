/* drivers.c - see drivers.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Start values of the machines that the disks come from: XP on an Intel IDE
 * chip set, Vista on IDE too, 7 on an Intel RAID controller (iaStorV), 10 on
 * AHCI.  Groups and tags as real machines of these generations have them.
 */
#include "testdata/drivers.h"

#include "base/buf.h"
#include "testdata/pe.h"

#define NT	"ntoskrnl.exe:IoCreateDevice"
#define SCSI	"ntoskrnl.exe:IoCreateDevice scsiport.sys:ScsiPortInitialize"
#define STOR	"ntoskrnl.exe:IoCreateDevice storport.sys:StorPortInitialize"

const struct driver drivers[] = {
	{ "ACPI", "acpi.sys", "0000", "Boot Bus Extender", 1, 1,
	  "ntoskrnl.exe:IoCreateDevice HAL.dll:HalTranslateBusAddress" },
	{ "PCI", "pci.sys", "0000", "Boot Bus Extender", 1, 2, NT },
	{ "isapnp", "isapnp.sys", "0---", "Boot Bus Extender", 1, 3, NT },
	{ "msisadrv", "msisadrv.sys", "-000", "Boot Bus Extender", 1, 2, NT },
	{ "vdrvroot", "vdrvroot.sys", "--00", "Boot Bus Extender", 1, 6, NT },
	{ "atapi", "atapi.sys", "0030", "SCSI miniport", 1, 25,
	  "ntoskrnl.exe:IoCreateDevice HAL.dll:KeStallExecutionProcessor" },
	{ "IntelIde", "intelide.sys", "0030", "System Bus Extender", 1, 4,
	  "ntoskrnl.exe:IoCreateDevice pciidex.sys:PciIdeXInitialize" },
	{ "PCIIde", "pciide.sys", "c330", "System Bus Extender", 1, 3,
	  "ntoskrnl.exe:IoCreateDevice pciidex.sys:PciIdeXInitialize" },
	{ "pciidex", "pciidex.sys", "ffff", "", 1, 0, NT },
	{ "ataport", "ataport.sys", "-fff", "", 1, 0, NT },
	{ "scsiport", "scsiport.sys", "ffff", "", 1, 0, NT },
	{ "storport", "storport.sys", "-fff", "", 1, 0, NT },
	{ "symmpi", "symmpi.sys", "c---", "SCSI miniport", 1, 0, SCSI },
	{ "msahci", "msahci.sys", "-33-", "SCSI Miniport", 1, 0,
	  "ntoskrnl.exe:IoCreateDevice ataport.sys:AtaPortInitialize" },
	{ "storahci", "storahci.sys", "---0", "SCSI Miniport", 1, 65, STOR },
	{ "stornvme", "stornvme.sys", "---0", "SCSI Miniport", 1, 66, STOR },
	{ "iaStorV", "iastorv.sys", "-300", "SCSI Miniport", 1, 25, STOR },
	{ "LSI_SAS", "lsi_sas.sys", "-330", "SCSI Miniport", 1, 64, STOR },
	{ "LSI_SCSI", "lsi_scsi.sys", "-33-", "SCSI Miniport", 1, 34, STOR },
	{ "megasas", "megasas.sys", "-330", "SCSI Miniport", 1, 0, STOR },
	{ "amdsata", "amdsata.sys", "--30", "SCSI Miniport", 1, 0, STOR },
	{ "vmbus", "vmbus.sys", "--30", "System Bus Extender", 1, 0, NT },
	{ "storvsc", "storvsc.sys", "--30", "Base", 1, 0, STOR },
	{ "storflt", "vmstorfl.sys", "--30", "Extended Base", 1, 0, NT },
	{ "Disk", "disk.sys", "0000", "SCSI Class", 1, 2,
	  "ntoskrnl.exe:IoCreateDevice CLASSPNP.SYS:ClassInitialize" },
	{ "classpnp", "classpnp.sys", "ffff", "", 1, 0, NT },
	{ "Cdrom", "cdrom.sys", "1111", "SCSI CDROM Class", 1, 2,
	  "ntoskrnl.exe:IoCreateDevice CLASSPNP.SYS:ClassInitialize" },
	{ "PartMgr", "partmgr.sys", "0000", "System Bus Extender", 1, 5, NT },
	{ "Ftdisk", "ftdisk.sys", "0---", "System Bus Extender", 1, 9, NT },
	{ "dmload", "dmload.sys", "0---", "System Bus Extender", 1, 12, NT },
	{ "dmio", "dmio.sys", "0---", "System Bus Extender", 1, 13, NT },
	{ "volmgr", "volmgr.sys", "-000", "System Bus Extender", 1, 9, NT },
	{ "volmgrx", "volmgrx.sys", "-000", "System Bus Extender", 1, 10, NT },
	{ "MountMgr", "mountmgr.sys", "0000", "System Bus Extender", 1, 8, NT },
	{ "VolSnap", "volsnap.sys", "0000", "System Bus Extender", 1, 0, NT },
	{ "FltMgr", "fltmgr.sys", "0000", "FSFilter Infrastructure", 2, 4, NT },
	{ "fvevol", "fvevol.sys", "--00", "PnP Filter", 1, 5, NT },
	{ "rdyboost", "rdyboost.sys", "--00", "PnP Filter", 1, 2, NT },
	{ "EhStorClass", "ehstorclass.sys", "---0", "PnP Filter", 1, 0, NT },
	{ "KSecDD", "ksecdd.sys", "0000", "Base", 1, 1, NT },
	{ "CNG", "cng.sys", "--00", "Base", 1, 2, NT },
	{ "NDIS", "ndis.sys", "0000", "NDIS Wrapper", 1, 0, NT },
	{ "Mup", "mup.sys", "0000", "Network", 2, 2, NT },
	{ "Ntfs", "ntfs.sys", "4333", "File system", 2, 0, NT },
	{ "Fastfat", "fastfat.sys", "4333", "Boot File System", 2, 0, NT },
	{ "Null", "null.sys", "1111", "Base", 1, 1, NT },
	{ "Beep", "beep.sys", "1111", "Base", 1, 2, NT },
	{ "VgaSave", "vga.sys", "1333", "Video Save", 1, 1,
	  "ntoskrnl.exe:IoCreateDevice VIDEOPRT.SYS:VideoPortInitialize" },
	{ "videoprt", "videoprt.sys", "ffff", "", 1, 0, NT },
	{ "i8042prt", "i8042prt.sys", "1333", "Keyboard Port", 1, 4, NT },
	{ "Kbdclass", "kbdclass.sys", "1333", "Keyboard Class", 1, 1, NT },
	{ "Mouclass", "mouclass.sys", "1333", "Pointer Class", 1, 1, NT },
	{ "intelppm", "intelppm.sys", "1333", "Extended Base", 1, 3, NT },
	{ "AmdPPM", "amdppm.sys", "--33", "Extended Base", 1, 17, NT },
	{ "agp440", "agp440.sys", "033-", "PnP Filter", 1, 6, NT },
	{ "usbehci", "usbehci.sys", "3333", "Base", 1, 0, NT },
	{ "usbuhci", "usbuhci.sys", "3333", "Base", 1, 0, NT },
	{ "usbhub", "usbhub.sys", "3333", "Base", 1, 0, NT },
	{ "USBSTOR", "usbstor.sys", "3333", "", 1, 0, NT },
	{ "HidUsb", "hidusb.sys", "3333", "extended base", 1, 0, NT },
	{ "E1000", "e1000325.sys", "3---", "NDIS", 1, 6,
	  "ntoskrnl.exe:IoCreateDevice NDIS.SYS:NdisMRegisterMiniport" },
	{ "e1express", "e1e6032e.sys", "-333", "NDIS", 1, 6,
	  "ntoskrnl.exe:IoCreateDevice NDIS.SYS:NdisMRegisterMiniport" },
	{ "Tcpip", "tcpip.sys", "1000", "PNP_TDI", 1, 4, NT },
	{ "AFD", "afd.sys", "1111", "TDI", 1, 0, NT },
	{ "NetBT", "netbt.sys", "1111", "PNP_TDI", 1, 6, NT },
	{ "ialm", "ialmnt5.sys", "3---", "Video", 1, 2,
	  "ntoskrnl.exe:IoCreateDevice VIDEOPRT.SYS:VideoPortInitialize" },
	{ .name = NULL }
};

void
driver_image(struct buf *out, const struct guest *g, const char *file,
	     const char *original, const char *imports)
{
	static const char *const version[KINDS] = {
		"5.1.2600.5512", "6.0.6002.18005", "6.1.7601.17514",
		"10.0.19041.1",
	};
	const char *dot = strrchr(file, '.');
	struct pe pe = {
		.machine = g->kind->machine,
		.subsystem = PE_CONSOLE,
		.original = original,
		.what = original,
		.version = version[g->kind->id],
		.imports = imports,
		.stamp = 0x48025000 + 0x3000000 * (uint32_t)g->kind->id,
	};

	if (dot != NULL && (strcmp(dot, ".sys") == 0 ||
			    strncmp(file, "hal", 3) == 0 ||
			    strncmp(file, "nt", 2) == 0))
		pe.subsystem = PE_NATIVE;
	if (dot != NULL && strcmp(dot, ".efi") == 0)
		pe.subsystem = PE_EFI;
	if (dot != NULL && strcmp(dot, ".dll") == 0)
		pe.dll = true;
	pe_put(out, &pe, 24 * 1024);
}

char
driver_start(const struct driver *d, const struct guest *g)
{
	return d->start[g->kind->id];
}
