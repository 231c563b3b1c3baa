/* system.c - HKLM\SYSTEM of a machine
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/hives.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "testdata/drivers.h"
#include "testdata/layout.h"
#include "testdata/packages.h"

/* Lines before the first key that names a control set use @cs@ for it. */
static const char *const control_lines[] = {
	"[@cs@\\Control]",
	"CurrentUser=s:USERNAME",
	"WaitToKillServiceTimeout=s:20000",
	"SystemStartOptions=s: NOEXECUTE=OPTIN  FASTDETECT",
	"SystemBootDevice=s:multi(0)disk(0)rdisk(0)partition(@partition@)",
	"FirmwareBootDevice=s:multi(0)disk(0)rdisk(0)partition(1)",
	"[@cs@\\Control\\ComputerName\\ComputerName]",
	"ComputerName=s:@computer@",
	"[@cs@\\Control\\CrashControl]",
	"AutoReboot=d:1",
	"CrashDumpEnabled=d:2",
	"DumpFile=e:%SystemRoot%\\MEMORY.DMP",
	"[@cs@\\Control\\ProductOptions]",
	"ProductType=s:WinNT",
	"[@cs@\\Control\\ServiceGroupOrder]",
	"List=m:System Reserved|EMS|WdfLoadGroup|Boot Bus Extender|"
	"System Bus Extender|SCSI miniport|Port|Primary Disk|SCSI Class|"
	"SCSI CDROM Class|FSFilter Infrastructure|FSFilter System|"
	"FSFilter Bottom|Filter|Boot File System|Base|Pointer Port|"
	"Keyboard Port|Pointer Class|Keyboard Class|Video Init|Video|"
	"Video Save|File System|Streams Drivers|NDIS Wrapper|PNP_TDI|NDIS|TDI|"
	"NetBIOSGroup|ShellSvcGroup|SchedulerGroup|SpoolerGroup|"
	"AudioGroup|NetworkProvider|RemoteValidation|Extended Base|PnP Filter",
	"[@cs@\\Control\\GroupOrderList]",
	"Boot Bus Extender=b:03000000 01000000 02000000 03000000",
	"System Bus Extender=b:05000000 03000000 04000000 05000000 08000000"
	" 09000000",
	"SCSI miniport=b:03000000 19000000 40000000 41000000",
	"[@cs@\\Control\\Session Manager]",
	"BootExecute=m:autocheck autochk *",
	"[@cs@\\Control\\Session Manager\\Environment]",
	"ComSpec=e:%SystemRoot%\\system32\\cmd.exe",
	"NUMBER_OF_PROCESSORS=s:2",
	"OS=s:Windows_NT",
	"PROCESSOR_ARCHITECTURE=s:@arch@",
	"Path=e:%SystemRoot%\\system32;%SystemRoot%",
	"TEMP=e:%SystemRoot%\\TEMP",
	"windir=e:%SystemRoot%",
	"[@cs@\\Control\\Session Manager\\Memory Management]",
	"PagingFiles=m:@drive@\\pagefile.sys 48 48",
	"[@cs@\\Control\\Session Manager\\Power]",
	"HiberbootEnabled=d:@hiberboot@",
	"[@cs@\\Control\\TimeZoneInformation]",
	"Bias=d:0xffffffc4",
	"StandardName=s:W. Europe Standard Time",
	"[@cs@\\Control\\Nls\\Language]",
	"Default=s:@lang@",
	"InstallLanguage=s:@lang@",
	"[@cs@\\Control\\Windows]",
	"SystemDirectory=e:%SystemRoot%\\system32",
	"Directory=e:%SystemRoot%",
	"[@cs@\\Control\\SafeBoot\\Minimal\\disk.sys]",
	"=s:Driver",
	"[@cs@\\Control\\hivelist]",
	/* Device classes with their filters. */
	"[@cs@\\Control\\Class\\{4D36E967-E325-11CE-BFC1-08002BE10318}]",
	"=s:Disk drives",
	"Class=s:DiskDrive",
	"UpperFilters=m:@diskupper@",
	"[@cs@\\Control\\Class\\{4D36E96A-E325-11CE-BFC1-08002BE10318}]",
	"=s:IDE ATA/ATAPI controllers",
	"Class=s:hdc",
	"[@cs@\\Control\\Class\\{4D36E97B-E325-11CE-BFC1-08002BE10318}]",
	"=s:SCSI and RAID controllers",
	"Class=s:SCSIAdapter",
	"[@cs@\\Control\\Class\\{71A27CDD-812A-11D0-BEC7-08002BE2092F}]",
	"=s:Storage volumes",
	"Class=s:Volume",
	"UpperFilters=m:VolSnap",
	"[@cs@\\Control\\Class\\{4D36E966-E325-11CE-BFC1-08002BE10318}\\0000]",
	"DriverDesc=s:@haldesc@",
	"InfPath=s:hal.inf",
	"MatchingDeviceId=s:@halid@",
	"[@cs@\\Control\\Class\\{4D36E972-E325-11CE-BFC1-08002BE10318}\\0007]",
	"ComponentId=s:pci\\ven_8086&dev_100e",
	"DriverDesc=s:Intel(R) PRO/1000 Network Connection",
	"NetCfgInstanceId=s:{6A13E1C2-0F52-4D6E-9B53-1B2F77A0C101}",
	"[@cs@\\Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}\\"
	"{6A13E1C2-0F52-4D6E-9B53-1B2F77A0C101}\\Connection]",
	"Name=s:Local Area Connection",
	"PnPInstanceID=s:PCI\\VEN_8086&DEV_100E&SUBSYS_002E1028&REV_02\\"
	"4&1D4B6C7F&0&60F0",
	"[@cs@\\Services\\Tcpip\\Parameters]",
	"Domain=s:corp.example",
	"Hostname=s:@computer@",
	"NV Hostname=s:@computer@",
	"DataBasePath=e:%SystemRoot%\\System32\\drivers\\etc",
	"[@cs@\\Services\\Tcpip\\Parameters\\Interfaces\\"
	"{6A13E1C2-0F52-4D6E-9B53-1B2F77A0C101}]",
	"EnableDHCP=d:0",
	"IPAddress=m:192.0.2.17",
	"SubnetMask=m:255.255.255.0",
	"DefaultGateway=m:192.0.2.1",
	"NameServer=s:192.0.2.53",
	/* The tree of devices that the machine had. */
	"[@cs@\\Enum\\Root\\@halroot@\\0000]",
	"Class=s:Computer",
	"ClassGUID=s:{4D36E966-E325-11CE-BFC1-08002BE10318}",
	"HardwareID=m:@halid@",
	"DeviceDesc=s:@haldesc@",
	"Driver=s:{4D36E966-E325-11CE-BFC1-08002BE10318}\\0000",
	"Service=s:@halservice@",
	"[@cs@\\Enum\\PCI\\@storageid@\\3&2411E6FE&0&F9]",
	"HardwareID=m:PCI\\@storageid@|PCI\\@storageshort@|PCI\\@storagecc@",
	"CompatibleIDs=m:PCI\\@storageshort@|PCI\\@storagecc@",
	"Class=s:@storageclass@",
	"ClassGUID=s:@storageguid@",
	"Service=s:@storageservice@",
	"DeviceDesc=s:@storagedesc@",
	"ConfigFlags=d:0",
	"[@cs@\\Enum\\PCI\\VEN_8086&DEV_100E&SUBSYS_002E1028&REV_02\\"
	"4&1D4B6C7F&0&60F0]",
	"HardwareID=m:PCI\\VEN_8086&DEV_100E&SUBSYS_002E1028&REV_02|"
	"PCI\\VEN_8086&DEV_100E",
	"Class=s:Net",
	"ClassGUID=s:{4D36E972-E325-11CE-BFC1-08002BE10318}",
	"Service=s:E1000",
	"Driver=s:{4D36E972-E325-11CE-BFC1-08002BE10318}\\0007",
	"[@cs@\\Enum\\ACPI\\GenuineIntel_-_x86_Family_6_Model_15\\_0]",
	"Class=s:Processor",
	"Service=s:intelppm",
	"[@cs@\\Hardware Profiles\\0001]",
	"FriendlyName=s:Profile 1",
	NULL
};

static const char *const xp_database[] = {
	"gendisk|disk|{4D36E967-E325-11CE-BFC1-08002BE10318}",
	"gencdrom|cdrom|{4D36E965-E325-11CE-BFC1-08002BE10318}",
	"primary_ide_channel|atapi|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"secondary_ide_channel|atapi|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"pci#ven_8086&dev_24cb|intelide|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"pci#cc_0604|pci|{4D36E97D-E325-11CE-BFC1-08002BE10318}",
	"pci#ven_8086&dev_24c0|isapnp|{4D36E97D-E325-11CE-BFC1-08002BE10318}",
	"root#ftdisk|ftdisk|{4D36E97D-E325-11CE-BFC1-08002BE10318}",
	"root#dmio|dmio|{4D36E97D-E325-11CE-BFC1-08002BE10318}",
	"*pnp0303|i8042prt|{4D36E96B-E325-11CE-BFC1-08002BE10318}",
	"*pnp0f13|i8042prt|{4D36E96F-E325-11CE-BFC1-08002BE10318}",
	NULL
};

static const char *const nt6_database[] = {
	"GenDisk|disk|{4D36E967-E325-11CE-BFC1-08002BE10318}",
	"GenCdRom|cdrom|{4D36E965-E325-11CE-BFC1-08002BE10318}",
	"Primary_IDE_Channel|atapi|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"Secondary_IDE_Channel|atapi|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"Internal_IDE_Channel|atapi|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"PCI#CC_0101|pciide|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"PCI#VEN_8086&DEV_7010|intelide|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"PCI#VEN_8086&DEV_7111|intelide|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"PCI#VEN_8086&DEV_27DF|intelide|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"PCI#CC_010601|msahci|{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	"PCI#VEN_8086&DEV_2822&CC_0104|iaStorV|"
	"{4D36E97B-E325-11CE-BFC1-08002BE10318}",
	"PCI#VEN_8086&DEV_282A&CC_0104|iaStorV|"
	"{4D36E97B-E325-11CE-BFC1-08002BE10318}",
	"PCI#VEN_1000&DEV_0030|LSI_SCSI|{4D36E97B-E325-11CE-BFC1-08002BE10318}",
	"PCI#VEN_1000&DEV_0054|LSI_SAS|{4D36E97B-E325-11CE-BFC1-08002BE10318}",
	"PCI#VEN_1000&DEV_0411|megasas|{4D36E97B-E325-11CE-BFC1-08002BE10318}",
	"VMBUS#{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}|storvsc|"
	"{4D36E97B-E325-11CE-BFC1-08002BE10318}",
	"*PNP0A03|pci|{4D36E97D-E325-11CE-BFC1-08002BE10318}",
	"*PNP0A08|pci|{4D36E97D-E325-11CE-BFC1-08002BE10318}",
	"ROOT#VOLMGR|volmgr|{4D36E97D-E325-11CE-BFC1-08002BE10318}",
	NULL
};

static void
put_database(struct guest *g, struct reg *r, const char *cs,
	     const char *const *rows)
{
	for (; *rows != NULL; rows++) {
		char id[64], service[32], guid[48];

		if (sscanf(*rows, "%63[^|]|%31[^|]|%47s", id, service,
			   guid) != 3)
			continue;
		reg_line(r, path_of("[%s\\Control\\CriticalDeviceDatabase\\%s]",
				    cs, id));
		reg_line(r, path_of("ClassGUID=s:%s", guid));
		reg_line(r, path_of("Service=s:%s", service));
		if (g->kind->id != XP && strncmp(id, "PCI#", 4) == 0)
			reg_line(r, path_of("DriverPackageId=s:mshdc.inf_%s_"
					    "neutral_a69a58a4286f0b22",
					    g->kind->machine == 0x14c ?
					    "x86" : "amd64"));
	}
}

/* Storage drivers of 10 that this machine does not need: they start at boot, and
 * its hardware configuration (StartOverride) takes that back. */
static bool
switched_off(const char *name)
{
	static const char *const names[] = {
		"atapi", "IntelIde", "PCIIde", "iaStorV", "LSI_SAS", "megasas",
		"amdsata", "stornvme", "vmbus", "storvsc", "storflt",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void
put_service(struct guest *g, struct reg *r, const char *cs,
	    const struct driver *d, char start)
{
	reg_line(r, path_of("[%s\\Services\\%s]", cs, d->name));
	reg_line(r, path_of("Type=d:%u", d->type));
	reg_line(r, path_of("Start=d:%c", start));
	reg_line(r, "ErrorControl=d:1");
	reg_line(r, path_of("ImagePath=e:%s\\DRIVERS\\%s",
			    nt6(g) ? "\\SystemRoot\\System32" : "system32",
			    d->file));
	reg_line(r, path_of("DisplayName=s:%s driver", d->name));
	if (d->group[0] != '\0')
		reg_line(r, path_of("Group=s:%s", d->group));
	if (d->tag != 0)
		reg_line(r, path_of("Tag=d:%u", d->tag));
	if (g->kind->id == WIN10 && start == '0' && switched_off(d->name)) {
		reg_line(r, path_of("[%s\\Services\\%s\\StartOverride]", cs,
				    d->name));
		reg_line(r, "0=d:3");
	}
}

static void
put_control_set(struct guest *g, struct reg *r, unsigned n,
		struct words *words)
{
	char cs[16];

	(void)snprintf(cs, sizeof(cs), "ControlSet%03u", n);
	words->at[0].value = cs;
	reg_lines(r, control_lines, words->at);
	if (g->kind->id == XP)
		put_database(g, r, cs, xp_database);
	else if (g->kind->id != WIN10)
		put_database(g, r, cs, nt6_database);
	for (const struct driver *d = drivers; d->name != NULL; d++) {
		char start = driver_start(d, g);

		if (start >= '0' && start <= '9')
			put_service(g, r, cs, d, start);
	}
}

static const char *const hardware_lines[] = {
	"[HardwareConfig]",
	"LastConfig=s:{4C4C4544-0031-4810-8056-B4C04F4A4E31}",
	"LastId=d:0",
	"[HardwareConfig\\{4C4C4544-0031-4810-8056-B4C04F4A4E31}]",
	"Id=d:0",
	"SystemManufacturer=s:Dell Inc.",
	"SystemProductName=s:Latitude E7440",
	NULL
};

static void
put_mounted(struct guest *g, struct reg *r)
{
	static const char volume[] =
		"\\??\\Volume{2c1e8f40-4a59-11de-8c30-806d6172696f}";
	uint8_t blob[24];
	size_t len = 12;

	reg_line(r, "[MountedDevices]");
	if (g->kind->id == WIN10) {
		memcpy(blob, "DMIO:ID:", 8);
		memcpy(blob + 8, g->system_guid, 16);
		len = 24;
	} else {
		num_put_u32le(blob, g->kind->signature);
		num_put_u64le(blob + 4, g->system_start * 512);
	}
	reg_value(r, path_of("\\DosDevices\\%c:", g->letter), 3, blob, len);
	reg_value(r, volume, 3, blob, len);
	reg_line(r, "\\DosDevices\\E:=b:5c003f003f005c0049004400450023004300640"
		"052006f006d0044005600440000");
}

void
hive_system(struct guest *g)
{
	struct words words;
	struct reg *r = hive_new(g, "SYSTEM", nt6(g) ?
		"CMI-CreateHive{2A7FB991-7BBE-4F9D-B91E-7CB51D4737F5}" :
		"$$$PROTO.HIV", 5);

	if (r == NULL)
		return;
	hive_words(g, &words);
	put_control_set(g, r, 1, &words);
	put_control_set(g, r, 2, &words);
	reg_line(r, "[Select]");
	reg_line(r, g->opt.other_current ? "Current=d:2" : "Current=d:1");
	reg_line(r, "Default=d:1");
	reg_line(r, "Failed=d:0");
	reg_line(r, "LastKnownGood=d:2");
	put_mounted(g, r);
	reg_line(r, "[Setup]");
	reg_line(r, "SetupType=d:0");
	reg_line(r, "SystemSetupInProgress=d:0");
	reg_line(r, "CmdLine=s:");
	reg_line(r, "OsLoaderPath=s:\\");
	reg_line(r, path_of("SystemPartition=s:\\Device\\HarddiskVolume1"));
	if (g->kind->id == XP)
		reg_line(r, "[WPA\\PnP]");
	if (g->kind->id == WIN10) {
		packages_register(r);
		reg_lines(r, hardware_lines, words.at);
	}
	hive_put(g, r, "system");
}
