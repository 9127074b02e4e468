"""Gradio's own components in our colours: every value points at a token of `assets/theme.css`."""

from pathlib import Path

from gradio.themes import Base, sizes

ASSETS = Path(__file__).parent / "assets"
FONTS = ["Inter", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "system-ui", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Noto Sans Mono CJK SC", "monospace"]

_TOKENS = {
    "body_background_fill": "bg",
    "body_text_color": "ink",
    "body_text_color_subdued": "mute",
    "background_fill_primary": "card",
    "background_fill_secondary": "bg",
    "border_color_primary": "line",
    "border_color_accent": "acc",
    "color_accent_soft": "acc2",
    "block_background_fill": "card",
    "block_border_color": "line",
    "block_label_background_fill": "card",
    "block_label_text_color": "mute",
    "block_title_text_color": "mute",
    "block_info_text_color": "mute",
    "panel_background_fill": "card",
    "panel_border_color": "line",
    "input_background_fill": "field",
    "input_background_fill_focus": "field",
    "input_border_color": "line",
    "input_border_color_focus": "acc",
    "input_placeholder_color": "faint",
    "button_primary_background_fill": "acc",
    "button_primary_background_fill_hover": "acc-deep",
    "button_primary_border_color": "acc",
    "button_primary_text_color": "on-acc",
    "button_secondary_background_fill": "card",
    "button_secondary_background_fill_hover": "bg",
    "button_secondary_border_color": "line",
    "button_secondary_text_color": "ink",
    "button_cancel_background_fill": "card",
    "button_cancel_background_fill_hover": "bad2",
    "button_cancel_border_color": "bad",
    "button_cancel_text_color": "bad",
    "checkbox_background_color": "field",
    "checkbox_border_color": "line-deep",
    "checkbox_background_color_selected": "acc",
    "checkbox_border_color_selected": "acc",
    "checkbox_label_background_fill": "card",
    "checkbox_label_background_fill_hover": "bg",
    "checkbox_label_background_fill_selected": "acc2",
    "checkbox_label_border_color": "line",
    "checkbox_label_border_color_selected": "acc",
    "checkbox_label_text_color": "ink",
    "checkbox_label_text_color_selected": "acc",
    "slider_color": "acc",
    "link_text_color": "acc",
    "link_text_color_hover": "acc-deep",
    "link_text_color_visited": "acc",
    "code_background_fill": "bg",
    "table_border_color": "line",
    "table_even_background_fill": "card",
    "table_odd_background_fill": "card",
    "table_row_focus": "acc2",
    "table_text_color": "ink",
    "error_background_fill": "bad2",
    "error_border_color": "bad",
    "error_text_color": "bad",
    "stat_background_fill": "acc2",
    "accordion_text_color": "ink",
}
_PLAIN = {
    "block_radius": "10px",
    "block_border_width": "1px",
    "block_padding": "12px 14px",
    "block_label_text_size": "12px",
    "block_title_text_size": "12px",
    "block_title_text_weight": "600",
    "block_label_text_weight": "600",
    "block_shadow": "none",
    "button_large_radius": "8px",
    "button_medium_radius": "8px",
    "button_small_radius": "7px",
    "button_large_padding": "6px 16px",
    "button_medium_padding": "6px 14px",
    "button_small_padding": "3px 10px",
    "button_large_text_size": "14px",
    "button_medium_text_size": "14px",
    "button_small_text_size": "13px",
    "button_large_text_weight": "600",
    "button_medium_text_weight": "500",
    "button_transform_hover": "none",
    "container_radius": "10px",
    "input_radius": "8px",
    "input_padding": "7px 11px",
    "input_text_size": "14px",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px var(--pw-acc2)",
    "input_border_width": "1px",
    "layout_gap": "14px",
    "form_gap_width": "0px",
    "section_header_text_size": "14px",
    "table_radius": "8px",
}


def planwright_theme() -> Base:
    """The theme; system fonts only, so that no foreign host is asked for one."""
    theme = Base(font=FONTS, font_mono=MONO, text_size=sizes.text_sm)
    values = dict(_PLAIN)
    for name, token in _TOKENS.items():
        values[name] = values[f"{name}_dark"] = f"var(--pw-{token})"
    return theme.set(**values)  # pyright: ignore[reportArgumentType]
