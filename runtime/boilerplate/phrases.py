"""Words that give boilerplate away, and words that only running text has.

Written for this project from what cookie notes, menus and footers say in the languages that crawls
hold most of. Matching is on lower-cased lines.
Word boundaries are ASCII ones: Unicode boundaries throw polars' regex engine off its fast path as
soon as a line holds another script.
"""

from __future__ import annotations

CONSENT = (
    r"\bcookies?\b|gdpr|\bconsent\b|privacy (?:policy|notice|settings|statement|preferences)"
    r"|datenschutz|einwilligung|confidentialité|privacidad|privacidade|politica sulla privacy"
    r"|informativa|privacybeleid|prywatności|ochrana osobních|политик\w+ конфиденциальности"
    r"|персональных данных|隐私|プライバシー|個人情報"
)
LEGAL = (
    r"©|\(c\) ?\d{4}|copyright|all rights reserved|terms (?:of (?:use|service)|and conditions|&)"
    r"|trademarks?\b|disclaimer|impressum|\bagb\b|alle rechte vorbehalten|tous droits réservés"
    r"|mentions légales|todos los derechos|aviso legal|todos os direitos|diritti riservati"
    r"|prawa zastrzeżone|все права защищены|版权所有|powered by|designed by|site ?map\b"
    r"|accessibility statement|do not sell"
)
ACCOUNT = (
    r"\b(?:log|sign)[ -]?(?:in|up|out)\b|\blogin\b|\bregister\b|my account|create (?:an )?account"
    r"|forgot (?:your )?password|password|anmelden|registrieren|einloggen|se connecter"
    r"|mon compte|connexion|iniciar sesión|regístrate|accedi\b|inloggen|zaloguj|войти|登录|ログイン"
    r"|javascript|your browser|captcha"
)
SUBSCRIBE = (
    r"newsletter|subscri(?:be|ption)|\bsign up for\b|(?:your|e-?mail) (?:e-?mail|address)"
    r"|your inbox|unsubscribe|abonnieren|abonnez|s'abonner|suscríbete|suscrib|assine"
    r"|iscriviti|подпис|订阅|rss feed|\bpodcast app\b|free trial|push notifications?"
)
SHARE = (
    r"\bshare (?:this|on|via|to|it)\b|^share\b|\btweet\b|^pin it\b|whatsapp|\bfollow us\b"
    r"|^follow\b|facebook|twitter|linkedin|pinterest|instagram|telegram|\breddit\b|youtube|tiktok"
    r"|\bteilen\b|partager|compartir|compartilhar|condividi|delen\b|udostępnij|поделиться|分享"
    r"|copy link|print (?:this|page|article)|^print$|^e-?mail$|drucken|imprimer|imprimir"
)
MORE = (
    r"read (?:more|next|also|full)|related (?:articles?|posts?|stories|content|topics|products)"
    r"|you (?:may|might) (?:also )?(?:like|be interested)|recommended|most (?:read|popular|viewed)"
    r"|trending|latest (?:news|posts|articles|stories)|see (?:also|all|more)|view (?:all|more)"
    r"|show (?:more|less)|load more|learn more|more (?:from|on|stories|news|articles)|click here"
    r"|mehr (?:zum thema|lesen|erfahren)|weiterlesen|das könnte|lire (?:aussi|la suite)|à lire"
    r"|en savoir plus|leer más|te puede interesar|también te|relacionad[oa]s|leia (?:mais|também)"
    r"|leggi anche|potrebbe interess|lees (?:ook|meer)|zobacz także|czytaj (?:też|także|więcej)"
    r"|читайте также|相关|関連|previous (?:post|article)|next (?:post|article)|back to top"
)
REPLY = (
    r"leave a (?:reply|comment)|post a comment|add a comment|\bcomments?\b|\breply\b|\breplies\b"
    r"|kommentare?n?\b|antworten|commentaires?|répondre|comentarios?|comentários?|responder"
    r"|commenti|rispondi|reacties|komentarz|комментари|评论|コメント|required fields|upvote"
    r"|report abuse|not be published"
)
SHOP = (
    r"add to (?:cart|basket|bag|wish)|\bcheckout\b|shopping (?:cart|bag)|\bbuy (?:now|it)\b"
    r"|shop now|in stock|out of stock|free (?:shipping|delivery|returns)|% off\b|\bsale\b|\bsku\b"
    r"|wishlist|warenkorb|panier|carrito|carrello|winkelwagen|koszyk|корзин|gift cards?"
    r"|promo code|coupon|sponsored|advertis|anzeige\b|publicité|publicidad|pubblicità|реклама|广告"
    r"|\bads?\b"
)
NAVIGATE = (
    r"^(?:home|menu|search|close|skip|toggle|open|next|prev(?:ious)?|back|contact|about|faq|help"
    r"|news|blog|shop|store|careers?|jobs?|press|support|language|english|categories|tags?"
    r"|archives?|startseite|suche|kontakt|accueil|recherche|inicio|buscar|contacto|cerca|zoeken|szukaj|главная"
    r"|поиск|首页|搜索|ホーム|検索)\b|skip to|jump to|breadcrumb|contact us|about us|^page \d"
    r"|^filter|^sort by|\bcategories\b|^tagged|^filed under"
)
BYLINE = (
    r"^(?:by|von|par|por|di|door|autor|author|written by|text|foto|photo|image|credit|source)\b"
    r"|\b(?:posted|published|updated|modified|last (?:edited|reviewed)|veröffentlicht|aktualisiert"
    r"|publié|mis à jour|publicado|actualizado|pubblicato|aggiornato|gepubliceerd|опубликовано)\b"
    r"|\bmin(?:ute)?s? read|lesezeit|\bviews?\b|\bago\b|\bvor \d|\d:\d\d"
)
_WRITTEN = {
    "consent": CONSENT,
    "legal": LEGAL,
    "account": ACCOUNT,
    "subscribe": SUBSCRIBE,
    "share": SHARE,
    "more": MORE,
    "reply": REPLY,
    "shop": SHOP,
    "navigate": NAVIGATE,
    "byline": BYLINE,
}
FAMILIES = {name: pattern.replace(r"\b", r"(?-u:\b)") for name, pattern in _WRITTEN.items()}
"""Family name to a pattern over a lower-cased line."""

FUNCTION_WORDS = (
    "the of and to in is was that it for on with as are be this by at from or an which were has "
    "had not but have their its they been will can than when into who more also "
    "der die und das den von zu mit sich des ist nicht ein eine dem auch auf für im als wird bei "
    "nach "
    "le la les et des du une est que dans qui pour sur pas avec au par sont plus ce "
    "el los las que y en del una por con se para es lo como su más al o "
    "il di che e non si per da con sono della nel alla ha dei "
    "de het een van en dat niet op te voor met zijn aan door er bij ook "
    "os um uma não com dos mais foi ao na no em é "
    "i w z na się nie że do jest to jak o od za "
    "och att det som en på är av för med till inte ett har "
    "at af og der til er på den som ikke "
    "a az és hogy nem is egy "
    "и в не на что с по как это из за у к но от для "
    "ve bir bu için ile de da"
)
"""The commonest words of running text in the languages written with spaces, by family."""

_WORDS = "|".join(sorted(set(FUNCTION_WORDS.split())))
FUNCTION_WORD = rf"(?-u:\b)(?:{_WORDS})(?-u:\b)"
"""A function word in a lower-cased line."""
