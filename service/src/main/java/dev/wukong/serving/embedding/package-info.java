/** Embedding rows: resident in flat tables, read from a store where they are not. */
@NullMarked
package dev.wukong.serving.embedding;

import org.jspecify.annotations.NullMarked;
