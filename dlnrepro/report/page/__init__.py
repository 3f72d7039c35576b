"""A report as one HTML page that needs no network and no script.

* `html` collects what the page says of each claim (`Card`) and fills the templates.

The templates lie in `templates/`: `card.html` is the card of one claim, `parts.html` the pieces that cards share,
`page.html` the page around the cards, and `page.css` the looks, light, dark and on paper. To change what a card says,
edit `Card` and `_card` in `html`; to change how a card is laid out, edit `templates/card.html`.
"""
