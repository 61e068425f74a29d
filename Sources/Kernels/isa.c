#pragma clang fp contract(off)
#include "kaption_kernels.h"
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

// Whether the CPU has AMX with 8-bit integers and bfloat16 (leaf 7, EDX bits 24, 25 and 22), and Linux lets this process use its tiles: a process
// has to ask for that part of the state (Documentation/arch/x86/xstate.rst); it holds for all its threads, and asking again does no harm.
static int may_use_tiles(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return 0;
    const unsigned wanted = 1u << 24 | 1u << 25 | 1u << 22;
    return (edx & wanted) == wanted && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
}
#else
static int may_use_tiles(void) { return 0; }
#endif

int kaption_isa_available(kaption_isa isa) {
    switch (isa) {
    case KAPTION_ISA_PLAIN:
        return 1;
#if defined(__x86_64__)
    case KAPTION_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case KAPTION_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case KAPTION_ISA_AVX512_VNNI:
        return kaption_isa_available(KAPTION_ISA_AVX512) && __builtin_cpu_supports("avx512vnni") &&
               __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vbmi");
    case KAPTION_ISA_AMX:
        return kaption_isa_available(KAPTION_ISA_AVX512_VNNI) && may_use_tiles();
#endif
    default:
        return 0;
    }
}

const char *kaption_isa_name(kaption_isa isa) {
    switch (isa) {
    case KAPTION_ISA_AVX2:
        return "avx2";
    case KAPTION_ISA_AVX512:
        return "avx512";
    case KAPTION_ISA_AVX512_VNNI:
        return "avx512vnni";
    case KAPTION_ISA_AMX:
        return "amx";
    default:
        return "plain";
    }
}

kaption_isa kaption_isa_best(void) {
    kaption_isa wanted = KAPTION_ISA_AMX;
    const char *name = getenv("KAPTION_INSTRUCTION_SET");
    if (name != NULL) {
        if (strcmp(name, "plain") == 0) wanted = KAPTION_ISA_PLAIN;
        if (strcmp(name, "avx2") == 0) wanted = KAPTION_ISA_AVX2;
        if (strcmp(name, "avx512") == 0) wanted = KAPTION_ISA_AVX512;
        if (strcmp(name, "avx512vnni") == 0) wanted = KAPTION_ISA_AVX512_VNNI;
    }
    while (wanted != KAPTION_ISA_PLAIN && !kaption_isa_available(wanted)) wanted = (kaption_isa)(wanted - 1);
    return wanted;
}

unsigned kaption_flush_denormals(void) {
#if defined(__x86_64__)
    unsigned mode = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(mode | 0x8040u);
    return mode;
#else
    return 0;
#endif
}

void kaption_restore_denormals(unsigned mode) {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(mode);
#else
    (void)mode;
#endif
}
