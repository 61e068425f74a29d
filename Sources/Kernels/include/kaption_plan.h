// A plan: the layers of an encoder as a flat array of steps whose tensors are offsets, shared by all threads.
#ifndef KAPTION_PLAN_H
#define KAPTION_PLAN_H

#include "kaption_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

// The memories that a step's tensors lie in.
typedef enum {
    KAPTION_SPACE_INPUT = 0,  // the input image
    KAPTION_SPACE_ARENA,      // values of the image at hand, offsets by lifetime
    KAPTION_SPACE_ROWS,       // values of all images of the micro-batch
} kaption_space;

typedef struct {
    kaption_space space;
    size_t offset;      // floats; in KAPTION_SPACE_ROWS times the capacity of the micro-batch
    size_t channel;     // the first channel of a slice, in elements
    size_t row_stride;  // KAPTION_SPACE_ROWS: elements from one image's value to the next one's
    size_t height, width, channels, stride;
    kaption_numbers numbers;
    size_t ring;        // a value between two steps of a group: only so many rows are kept, row y at y mod ring; 0: all
} kaption_view;

// The most steps of a group that runs by strips.
enum { KAPTION_GROUP_STEPS = 4 };

typedef struct {
    kaption_operation operation;
    kaption_activation activation;
    kaption_window window;
    size_t groups;
    int counts_padding;
    int has_other;
    int has_weights;
    int has_bias;
    kaption_view input, other, output;
    size_t weights, bias;  // floats from the start of the constants
    kaption_winograd_tile tile;  // of KAPTION_WINOGRAD
    size_t scratch;  // floats into the arena
    // A group of `group_steps` from this one on runs by strips: `strip_rows` output rows of the last one at a time, each earlier one
    // giving the rows that the next one's windows reach. Each step reads what the one before it writes, which lies in a ring, or
    // whole where it is read behind the group too; only depthwise convolutions look beyond the strip. 0: the step runs whole.
    size_t group_steps;
    size_t strip_rows;
} kaption_step;

typedef struct {
    kaption_isa isa;
    const kaption_step *steps;
    size_t step_count;
    size_t cut;              // steps before it run image by image, the others once for all rows
    const float *constants;  // 64-byte aligned
    const float *zeros;      // as many as the widest input has channels
} kaption_plan;

// One thread's memory. Each part is 64-byte aligned.
typedef struct {
    float *input;
    float *arena;
    float *rows;
    size_t capacity;  // rows of the micro-batch at most
} kaption_memory;

// Runs step `index`, or the group that begins there, for the image in `memory->input`, as row `row` of the micro-batch; a step after the
// cut for that row alone. Returns the index of the step after it.
size_t kaption_plan_run_step(const kaption_plan *plan, const kaption_memory *memory, size_t row, size_t index);
// Runs the steps before the cut for the image in `memory->input`, as row `row` of the micro-batch.
void kaption_plan_encode(const kaption_plan *plan, const kaption_memory *memory, size_t row);
// Runs the steps after the cut for rows 0..<rows.
void kaption_plan_finish(const kaption_plan *plan, const kaption_memory *memory, size_t rows);

#ifdef __cplusplus
}
#endif
#endif
