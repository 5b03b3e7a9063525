/**
 * The benchmarks of training and of the whole way from data to answers. Those of the service's
 * inner parts lie in its own module.
 */
@NullMarked
package dev.wukong.figures;

import org.jspecify.annotations.NullMarked;
