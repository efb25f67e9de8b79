/* html_style.h - html_style.css as it stands in the program (made by embed.sh) */
#ifndef REPORT_HTML_STYLE_H
#define REPORT_HTML_STYLE_H

extern const char html_style[];

#endif
