"""A report as one HTML page that needs no network and no script.

* `html` fills the templates.
* `cards` collects what the page says of each claim (`Card`): its figures, criteria, assumptions and settings.
* `overview` groups the claims by paper, offers the filter by verdict, and says what all results have in common.
* `notes` writes the sentences that only the page has: failing arms, reduced results, the limits of float64.

The templates lie in `templates/`: `card.html` is the card of one claim, `parts.html` the pieces that cards share,
`page.html` the page around the cards, and `page.css` the looks, light, dark and on paper. To change what a card says,
edit `Card` and `card_of` in `cards`; to change how a card is laid out, edit `templates/card.html`.
"""
