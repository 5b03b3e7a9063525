/** What comes from outside, changed until something gives way. */
@org.jspecify.annotations.NullMarked
package dev.wukong.fuzzing;
