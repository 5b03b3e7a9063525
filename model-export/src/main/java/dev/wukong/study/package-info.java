/** Many trainings that one file lists, run in parallel, kept, compared and reported. */
@NullMarked
package dev.wukong.study;

import org.jspecify.annotations.NullMarked;
