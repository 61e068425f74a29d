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
        .tile = step->tile,
        .scratch = memory->arena + step->scratch,
        .row_begin = 0,
        .row_end = step->output.height,
    };
}

// How many of its input's rows, from the top, a step needs for its output rows below `end`.
static size_t rows_reached(const kaption_step *step, size_t end) {
    const kaption_window *window = &step->window;
    const size_t last = (end - 1) * window->stride_height + (window->kernel_height - 1) * window->dilation_height;
    const size_t rows = last < window->pad_top ? 0 : last - window->pad_top + 1;
    return rows < step->input.height ? rows : step->input.height;
}

// A tensor in a ring of rows, seen so that rows from `row` to the ring's end lie where they would in a whole one.
static void turn(kaption_tensor *tensor, kaption_element element, size_t ring, size_t row) {
    if (ring == 0) return;
    const size_t elements = (row - row % ring) * tensor->width * tensor->stride;
    tensor->data = (float *)(void *)((unsigned char *)tensor->data - elements * kaption_element_bytes(element));
}

// Rows from `begin` on that lie in one piece, at most to `end`.
static size_t piece_end(size_t ring, size_t begin, size_t end) {
    const size_t whole = ring == 0 ? end : begin - begin % ring + ring;
    return whole < end ? whole : end;
}

static void run_rows(const kaption_plan *plan, const kaption_step *step, const kaption_memory *memory, size_t row,
                     size_t begin, size_t end) {
    const int looks_around = step->operation == KAPTION_DEPTHWISE;
    while (begin < end) {
        kaption_layer layer = layer_of(plan, step, memory, row);
        size_t piece = piece_end(step->output.ring, begin, end);
        if (looks_around) {
            layer.input_ring = step->input.ring;
        } else {
            piece = piece_end(step->input.ring, begin, piece);
            turn(&layer.input, step->input.numbers.element, step->input.ring, begin);
        }
        turn(&layer.output, step->output.numbers.element, step->output.ring, begin);
        layer.row_begin = begin;
        layer.row_end = piece;
        kaption_layer_run(plan->isa, &layer);
        begin = piece;
    }
}

static void run_group(const kaption_plan *plan, const kaption_step *steps, size_t count, const kaption_memory *memory,
                      size_t row) {
    const size_t height = steps[count - 1].output.height, strip = steps->strip_rows;
    size_t done[KAPTION_GROUP_STEPS] = {0}, needed[KAPTION_GROUP_STEPS];
    for (size_t end = 0; end < height;) {
        end = end + strip < height ? end + strip : height;
        needed[count - 1] = end;
        for (size_t i = count - 1; i > 0; i--) needed[i - 1] = rows_reached(steps + i, needed[i]);
        for (size_t i = 0; i < count; i++) {
            run_rows(plan, steps + i, memory, row, done[i], needed[i]);
            done[i] = needed[i] > done[i] ? needed[i] : done[i];
        }
    }
}

size_t kaption_plan_run_step(const kaption_plan *plan, const kaption_memory *memory, size_t row, size_t index) {
    const kaption_step *step = plan->steps + index;
    if (step->group_steps > 1) {
        run_group(plan, step, step->group_steps, memory, row);
        return index + step->group_steps;
    }
    const kaption_layer layer = layer_of(plan, step, memory, row);
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
