/** Reports for people: what a report says, and one HTML file made of it. */
@NullMarked
package dev.wukong.report;

import org.jspecify.annotations.NullMarked;
