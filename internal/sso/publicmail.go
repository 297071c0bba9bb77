package sso

// publicMail are hosts where everybody can have a mailbox. The list of public
// suffixes, which is asked too, doesn't know them.
var publicMail = []string{
	"126.com", "163.com", "aim.com", "aliyun.com", "aol.com", "arcor.de", "att.net", "bellsouth.net", "bigpond.com",
	"bluewin.ch", "bol.com.br", "btinternet.com", "charter.net", "comcast.net", "cox.net", "daum.net", "duck.com",
	"earthlink.net", "email.com", "fastmail.com", "fastmail.fm", "foxmail.com", "free.fr", "freenet.de", "gmail.com",
	"gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.fr", "gmx.net", "googlemail.com", "hanmail.net", "hey.com",
	"hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "hushmail.com", "icloud.com",
	"inbox.com", "inbox.ru", "interia.pl", "laposte.net", "libero.it", "list.ru", "live.co.uk", "live.com", "live.de",
	"live.fr", "live.nl", "mac.com", "mail.com", "mail.de", "mail.ru", "mailbox.org", "mailfence.com", "me.com", "msn.com",
	"naver.com", "o2.pl", "onet.pl", "orange.fr", "outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.it",
	"pm.me", "posteo.de", "posteo.net", "proton.me", "protonmail.ch", "protonmail.com", "qq.com", "rambler.ru",
	"rediffmail.com", "rocketmail.com", "runbox.com", "sbcglobal.net", "seznam.cz", "sfr.fr", "shaw.ca", "sina.com",
	"sky.com", "t-online.de", "talktalk.net", "tuta.com", "tuta.io", "tutanota.com", "tutanota.de", "uol.com.br",
	"verizon.net", "virginmedia.com", "wanadoo.fr", "web.de", "wp.pl", "ya.ru", "yahoo.ca", "yahoo.co.in", "yahoo.co.jp",
	"yahoo.co.uk", "yahoo.com", "yahoo.com.br", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.com", "yandex.ru",
	"yeah.net", "ymail.com", "zoho.com", "zohomail.com",
}
