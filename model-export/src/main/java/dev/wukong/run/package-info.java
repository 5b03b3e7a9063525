/** One training as a configuration file says it: its data, the model, measuring and export. */
@NullMarked
package dev.wukong.run;

import org.jspecify.annotations.NullMarked;
