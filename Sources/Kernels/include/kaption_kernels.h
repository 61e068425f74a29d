// Kernels: the numeric inner loops of Kaption, one table per instruction set, each kernel with a plain C twin.
//
// Rules that every kernel keeps:
//  - The bits of an output element depend on the layer (shape, weights, instruction set) alone, never on how many rows
//    are computed with it, on the thread, or on its neighbours: each element is summed in the order of k, with explicit
//    FMA, and `contract(off)` everywhere.
//  - No allocation, no locks, no global state but the table chosen once.
//  - Strides count elements, sizes count bytes unless said otherwise.
#ifndef KAPTION_KERNELS_H
#define KAPTION_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    KAPTION_ISA_PLAIN = 0,
    KAPTION_ISA_AVX2 = 1,    // AVX2, FMA, F16C
    KAPTION_ISA_AVX512 = 2,  // AVX-512 F, BW, DQ, VL
    KAPTION_ISA_AVX512_VNNI = 3,  // and VNNI, BF16 and VBMI: dot products of narrow numbers
    KAPTION_ISA_AMX = 4,  // and AMX: products of tiles of narrow numbers
} kaption_isa;

// The best instruction set of this CPU, lowered by the environment variable KAPTION_INSTRUCTION_SET
// (plain | avx2 | avx512 | avx512vnni | amx) where that is set. Never returns one that the CPU lacks.
kaption_isa kaption_isa_best(void);
// Whether the CPU (and operating system) can run `isa`.
int kaption_isa_available(kaption_isa isa);
const char *kaption_isa_name(kaption_isa isa);

// Flushes denormals to zero on the calling thread (MXCSR FTZ and DAZ), and returns the mode before, for
// kaption_restore_denormals: a thread that goes on to other work must not compute it differently.
unsigned kaption_flush_denormals(void);
void kaption_restore_denormals(unsigned mode);

// ---- Packed product -------------------------------------------------------------------------------------------
// C[m×n] = A[m×k] · Wᵀ + bias, W is [n×k] row major (PyTorch's Linear layout). W is packed once, at load.

// Bytes that a packed n×k matrix takes, a multiple of 64.
size_t kaption_gemm_packed_bytes(kaption_isa isa, size_t n, size_t k);
// Packs w[n×k] (row stride ldw) into `packed` (64-byte aligned, kaption_gemm_packed_bytes long).
void kaption_gemm_pack(kaption_isa isa, size_t n, size_t k, const float *w, size_t ldw, float *packed);
// c[i*ldc + j] = sum over p of a[i*lda + p] * W[j][p], + bias[j] if bias is not NULL, + c's old value first if accumulate is not 0.
// lda ≥ k, ldc ≥ n. Any m, n, k ≥ 1. The bits of a row do not depend on m.
void kaption_gemm(kaption_isa isa, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                  const float *bias, int accumulate, float *c, size_t ldc);

#ifdef __cplusplus
}
#endif
#endif
