/*
 * P-states for QEMU's processors, so that acpi-cpufreq binds and governors are
 * real: three states; four processors share two policies in pairs, two have
 * one each. The control registers are scratch registers of serial ports that
 * no one uses.
 *
 * iasl [-DFOUR] -p cpufreq cpufreq.asl
 */
DefinitionBlock ("", "SSDT", 2, "VFHOOK", "CPUFREQ", 1)
{
    External (\_SB.CPUS.C000, DeviceObj)
    External (\_SB.CPUS.C001, DeviceObj)
#ifdef FOUR
    External (\_SB.CPUS.C002, DeviceObj)
    External (\_SB.CPUS.C003, DeviceObj)
#endif

    Scope (\_SB)
    {
        Name (PSTA, Package () {
            Package () { 2400, 30000, 10, 10, 0x10, 0x10 },
            Package () { 1600, 20000, 10, 10, 0x0B, 0x0B },
            Package () { 800, 10000, 10, 10, 0x08, 0x08 }
        })
        Name (PCTA, Package () {
            ResourceTemplate () { Register (SystemIO, 8, 0, 0x2FF) },
            ResourceTemplate () { Register (SystemIO, 8, 0, 0x2FF) }
        })
        Name (PCTB, Package () {
            ResourceTemplate () { Register (SystemIO, 8, 0, 0x3EF) },
            ResourceTemplate () { Register (SystemIO, 8, 0, 0x3EF) }
        })
#ifdef FOUR
        Name (PSDA, Package () { Package () { 5, 0, 0, 0xFC, 2 } })
        Name (PSDB, Package () { Package () { 5, 0, 1, 0xFC, 2 } })
#else
        Name (PSDA, Package () { Package () { 5, 0, 0, 0xFC, 1 } })
        Name (PSDB, Package () { Package () { 5, 0, 1, 0xFC, 1 } })
#endif
    }

    Scope (\_SB.CPUS.C000)
    {
        Name (_PPC, 0)
        Method (_PSS) { Return (PSTA) }
        Method (_PCT) { Return (PCTA) }
        Method (_PSD) { Return (PSDA) }
    }
    Scope (\_SB.CPUS.C001)
    {
        Name (_PPC, 0)
        Method (_PSS) { Return (PSTA) }
#ifdef FOUR
        Method (_PCT) { Return (PCTA) }
        Method (_PSD) { Return (PSDA) }
#else
        Method (_PCT) { Return (PCTB) }
        Method (_PSD) { Return (PSDB) }
#endif
    }
#ifdef FOUR
    Scope (\_SB.CPUS.C002)
    {
        Name (_PPC, 0)
        Method (_PSS) { Return (PSTA) }
        Method (_PCT) { Return (PCTB) }
        Method (_PSD) { Return (PSDB) }
    }
    Scope (\_SB.CPUS.C003)
    {
        Name (_PPC, 0)
        Method (_PSS) { Return (PSTA) }
        Method (_PCT) { Return (PCTB) }
        Method (_PSD) { Return (PSDB) }
    }
#endif
}
