#pragma clang fp contract(off)
#include "kaption_plan.h"
#include "kaption_narrow.h"

// `elements` further than `from`.
static float *advanced(float *from, size_t elements, kaption_element element) {
    return (float *)(void *)((unsigned char *)from + elements * kaption_element_bytes(element));
}

static float *address(const kaption_memory *memory, const kaption_view *view, size_t row) {
    switch (view->space) {
    case KAPTION_SPACE_INPUT:
        return advanced(memory->input + view->offset, view->channel, view->numbers.element);
    case KAPTION_SPACE_ARENA:
        return advanced(memory->arena + view->offset, view->channel, view->numbers.element);
    case KAPTION_SPACE_ROWS:
        return advanced(memory->rows + view->offset * memory->capacity, row * view->row_stride + view->channel,
                        view->numbers.element);
    }
    return NULL;
}

static kaption_tensor tensor(const kaption_memory *memory, const kaption_view *view, size_t row) {
    return (kaption_tensor){address(memory, view, row), view->height, view->width, view->channels, view->stride};
}

static kaption_layer layer_of(const kaption_plan *plan, const kaption_step *step, const kaption_memory *memory, size_t row) {
    return (kaption_layer){
        .operation = step->operation,
        .activation = step->activation,
        .window = step->window,
        .groups = step->groups,
        .counts_padding = step->counts_padding,
        .has_other = step->has_other,
        .input = tensor(memory, &step->input, row),
        .other = tensor(memory, &step->other, row),
        .output = tensor(memory, &step->output, row),
        .input_numbers = step->input.numbers,
        .other_numbers = step->other.numbers,
        .output_numbers = step->output.numbers,
        .weights = step->has_weights ? plan->constants + step->weights : NULL,
        .bias = step->has_bias ? plan->constants + step->bias : NULL,
        .zeros = plan->zeros,
        .row_begin = 0,
        .row_end = step->output.height,
    };
}

size_t kaption_plan_run_step(const kaption_plan *plan, const kaption_memory *memory, size_t row, size_t index) {
    const kaption_layer layer = layer_of(plan, plan->steps + index, memory, row);
    kaption_layer_run(plan->isa, &layer);
    return index + 1;
}

void kaption_plan_encode(const kaption_plan *plan, const kaption_memory *memory, size_t row) {
    for (size_t i = 0; i < plan->cut;) i = kaption_plan_run_step(plan, memory, row, i);
}

void kaption_plan_finish(const kaption_plan *plan, const kaption_memory *memory, size_t rows) {
    for (size_t i = plan->cut; i < plan->step_count; i++) {
        kaption_layer layer = layer_of(plan, plan->steps + i, memory, 0);
        // After the cut the images of the micro-batch are the pixels of one row.
        layer.input.width = layer.other.width = layer.output.width = rows;
        kaption_layer_run(plan->isa, &layer);
    }
}
