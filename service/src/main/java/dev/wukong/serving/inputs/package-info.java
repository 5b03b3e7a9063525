/** The inputs of a model's graph in memory that is used again from request to request. */
@NullMarked
package dev.wukong.serving.inputs;

import org.jspecify.annotations.NullMarked;
