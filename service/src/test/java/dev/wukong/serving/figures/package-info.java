/** Benchmarks of the service: its processes, the load on them and what they are compared with. */
@NullMarked
package dev.wukong.serving.figures;

import org.jspecify.annotations.NullMarked;
