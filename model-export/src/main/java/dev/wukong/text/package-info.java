/** Text that others have written, as people are shown it. */
@org.jspecify.annotations.NullMarked
package dev.wukong.text;
