// Kernels of the caption decoder: the LSTM's cell, the normaliser over the vocabulary and the choice of the best
// continuations. They keep the rules of kaption_kernels.h; in addition nothing here depends on how rows are grouped.
#ifndef KAPTION_DECODER_H
#define KAPTION_DECODER_H

#include "kaption_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// One step of an LSTM after its recurrent product (gates in PyTorch's order i, f, g, o):
//   i, f, o = sigmoid, g = tanh of inputs[r] + recurrent[r];  cell = f·cell + i·g;  hidden = o·tanh(cell).
// inputs[r] points to 4·size floats. `recurrent` may be NULL, which stands for zeros. Cells are updated in place; `hidden` is
// only written. Any size ≥ 1; a stride counts floats from one row to the next. A NaN among the gates ends up in `hidden`.
void kaption_lstm_cell(kaption_isa isa, size_t rows, size_t size, const float *const *inputs, const float *recurrent,
                       size_t recurrent_stride, float *cell, float *hidden, size_t state_stride);

// ---- Words ------------------------------------------------------------------------------------------------------
// The vocabulary's logits are looked at block by block, as the output layer's product writes them, and never lie in memory all at
// once: a row's scan keeps the sum for the softmax (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018,
// algorithm 3, by blocks) and the best words so far. Its bits depend on the blocks, not on the rows beside it.
#define KAPTION_MOST_BEST_WORDS 10
// Partial sums: word i of a block goes to the one of i modulo this, on every instruction set.
#define KAPTION_SUM_LANES 16

typedef struct {
    float logit;
    uint32_t word;
} kaption_scored_word;

typedef struct {
    float greatest;  // logit
    float sums[KAPTION_SUM_LANES];  // together Σ e^(logit − greatest)
    uint32_t capacity, kept;
    kaption_scored_word best[KAPTION_MOST_BEST_WORDS];  // `kept` of them, best first; of equal ones the lower word
} kaption_word_scan;

// Begins a scan that keeps `capacity` words, 1...KAPTION_MOST_BEST_WORDS.
void kaption_word_scan_begin(size_t capacity, kaption_word_scan *scan);
// Takes the words from `first` on of each row, logits[row · stride]..., into the row's scan. Blocks come in rising order. Of the words
// `excluded` the logits count for the sum, but they are never kept, nor are −∞ and NaN. The logits may be overwritten.
void kaption_scan_words(kaption_isa isa, size_t rows, size_t first, size_t count, float *logits, size_t stride,
                        const uint32_t *excluded, size_t excluded_count, kaption_word_scan *scans);
// log Σ e^logit. Not finite if any logit is NaN or +∞, or if all are −∞.
float kaption_word_scan_normaliser(const kaption_word_scan *scan);

// A beam carried on by one word.
typedef struct {
    float log_probability;
    uint32_t beam;
    uint32_t word;
} kaption_continuation;

// Offers a beam's best words to the list `best`, which holds `kept` entries, best first, of at most `capacity` ≥ 1.
// The log-probability of a continuation is base + (logit − normaliser). Ties keep the one that came first, so offering
// beams in rising order lets the lower beam win, then the greater logit, then the lower word. Returns the entries now held.
size_t kaption_keep_best(const kaption_word_scan *scan, float base, uint32_t beam, size_t capacity, size_t kept,
                         kaption_continuation *best);

#ifdef __cplusplus
}
#endif
#endif
