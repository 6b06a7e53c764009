#pragma once

/// How many times this thread has asked for memory so far: `malloc`, `calloc`, `realloc` and the aligned ones, by
/// whomever in the process, Swift's runtime included.
long allocation_count(void);
