"""The words in which people tell what they tried and what came of it, in several languages.

Each row is a pattern for one language; all rows of a table are tried together, since their scripts and spellings do
not clash. A new language is a row in each table. Only what nearly always means the same stands here: a sentence that
is worded otherwise stays unread, which costs a question, where a sentence that is misread would cost a night.
"""

from __future__ import annotations

import re


def _any(*rows: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row})" for row in rows), re.IGNORECASE)


_TRY = r"(?:reach|access|connect|get (?:to|into|through|a\b|any\b)|curl|open|browse|load(?![- ]?balanc)|hit|telnet|talk to|ping|wget)"
FAILS = _any(
    rf"\b(?:can(?:no|['’])?t|can not|could(?: not|n['’]t)|unable to|not able to|fail(?:s|ed|ing)? to)\b.{{0,40}}?\b{_TRY}",
    r"(?:\bnot|\bnever|n['’]t|\b(?:does|do|is|ca|wo)nt|\bno longer)\b(?: (?:be|being|even|really|at all))? ?"
    r"(?:reachable|accessible|available|respond(?:ing)?|answer(?:ing)?|pingable|work(?:ing)?|accessed|reached|curl|ping)",
    r"\bno (?:arp )?(?:response|reply|answer)s?\b|\binaccessible\b|\bunreachable\b",
    r"nicht (?:erreichbar|zugreifen|verbinden|erreichen|aufrufen|ansprechen|anpingen)|\bkeine (?:antwort|verbindung)"
    r"|\b(?:funktioniert|antwortet|geht|klappt)\b.{0,40}\bnicht|\bnicht (?:funktioniert|geht|klappt)",
    r"\binaccessible|\binjoignable|\bimpossible d['’e] ?(?:y )?(?:accéder|acceder|joindre|atteindre|se connecter)"
    r"|\bpas (?:accessible|joignable|de réponse|accéder|atteindre|joindre)|\bne (?:répond|fonctionne|marche) pas",
    r"\bno (?:se )?(?:puedo|puede|pude|consigo|logro|es posible) (?:acceder|conectar|llegar|alcanzar|hacer ping)"
    r"|\bno (?:responde|funciona|es accesible|hay respuesta)|\binaccesible|\binalcanzable",
    r"não (?:consigo|é possível) (?:acessar|conectar|alcançar|pingar)|não (?:responde|funciona|está acess)|\binacess[ií]ve",
    r"无法(?:正常)?(?:访问|连接|连通|ping|打开)|不能(?:正常)?(?:访问|连接|ping|打开)|访问不(?:了|到|通)|连不(?:上|通)|ping ?不通|不通"
    r"|(?:没有|无|無)(?:任何)?(?:得到)?(?:响应|回应|应答|回复|返回)|(?:访问|连接|请求|訪問|連線).{0,16}?失败|不可(?:达|访问)|無法(?:存取|連線|訪問|連接)",
    r"(?:アクセス|接続|到達|疎通|通信)(?:が|は|を|も)?(?:でき(?:ない|ません|なく|ず)|不可|失敗)|応答(?:が|は)?(?:ない|ありません|しない|しません)"
    r"|つながら(?:ない|ず|なく)|繋がら(?:ない|ず|なく)|返って(?:こない|きません)",
    r"\bне (?:доступ\w+|работает|отвеча\w+|пингуется|открывается|достучаться|(?:могу|получается|уда[её]тся) (?:по|до|за)\w+)"
    r"|недоступ(?:ен|на|но|ны)\b|\bнет (?:доступа|ответа)",
    r"접(?:속|근)(?:이|할|을)? ?(?:안|불가|수 없|되지)|연결(?:이|할)? ?(?:안|불가|되지|수 없)|응답(?:이)? ?없",
)
SILENT = _any(
    r"\btim(?:e|es|ed|ing)?[ -]?out|\bhangs?\b|\bhung\b|\bhanging\b",
    r"zeitüberschreitung|hängt\b",
    r"délai d['’]attente",
    r"tiempo de espera|se queda colgad|\bcuelga",
    r"tempo (?:limite|esgotado)|\btrava\b",
    r"超时|逾時|卡住",
    r"タイムアウト|ハング",
    r"тайм-?аут|\bзависает|\bвисит\b",
    r"타임아웃|시간 ?초과",
)
REFUSED = _any(
    r"\b(?:connection|connect(?:ion)? (?:was|is|gets?)) refused|err_connection_refused", r"拒绝连接|连接被拒绝"
)
UNREACHABLE = _any(
    r"\bno route to host|\bhost (?:is )?(?:unreachable|down)\b|network is unreachable|err_address_unreachable"
)
RESETS = _any(r"\bconnection (?:was |is |gets )?reset|reset by peer|err_connection_reset")
SOMETIMES = _any(
    r"\bsometimes|\bintermittent|\brandomly|\boccasional|\bsporadic|\b(?:half|every (?:other|second)) (?:of )?(?:the )?"
    r"(?:request|connection|attempt|time|try)|\bmanchmal|\bparfois|\ba veces|\bàs vezes|时好时坏|有时|間欠|時々|ときどき|\bиногда|가끔"
)
WORKS = _any(
    r"\bworks?\b|\bworking\b|\bworked (?:fine|well|ok)|\b(?:reachable|accessible|pingable)\b|\bsucceeds?\b|\bresponds?\b"
    rf"|\b(?:can|able to)\b(?! ?not|['’]t).{{0,30}}?\b(?:{_TRY}|be (?:reached|accessed))|\bsuccessful(?:ly)?\b"
    r"|\breturns? (?:the|a|an|appropriate|correct|expected|fine|200)\b|\b200 ok\b|\bgets? (?:a|the|an) (?:response|reply|answer|page)",
    r"\bfunktioniert\b|\berreichbar\b|\bklappt\b|\bantwortet\b|\bgeht\b|\bliefert\b",
    r"\bfonctionne\b|\baccessible\b|\brépond\b",
    r"\bfunciona\b|\bresponde\b|\baccesible\b|\bpuedo acceder\b|\bacessível\b|\bconsigo acessar\b",
    r"可以(?:正常|成功)?(?:地)?(?:curl ?)?(?:访问|连接|ping ?通|curl|通)|正常(?:访问|返回)|能(?:够)?(?:正常)?(?:访问|ping ?通|连[接通上])|访问(?:成功|正常)|可以訪問",
    r"(?:アクセス|接続|疎通|通信)(?:が|は|も)?(?:でき(?:る|ます|た|ました)|可能|成功)|(?:返され|返って(?:き|く)|表示され)(?:ます|る|ました|た)"
    r"|(?:機能|動作)し(?:ます|ている|ており|、)",
    r"\bработает\b|\bдоступ(?:ен|на|но)\b|\bотвеча(?:ет|ют)\b|\bоткрывается\b|\bпингуется\b",
    r"접(?:속|근)(?:이)? ?(?:됩|가능|된다|잘)|정상(?:적으로)? ?(?:접속|동작|응답)",
)
OUTSIDE = _any(
    r"\boutside\b(?:(?: of)?(?: (?:the|my|our|a))?(?: \w+)? (?:cluster|nodes?|network)\b)?|\bexternal(?:ly)?\b(?![- ]?(?:ip|address|traffic|name))"
    r"|\bmy (?:own )?(?:\w+ )?(?:laptop|pc|mac(?:book)?|desktop|workstation|computer|phone|browser|local (?:machine|network|pc))\b"
    r"|\b(?:laptop|browser|web browser|lan clients?|local network)\b"
    r"|\b(?:other|another|different|remote|any other) (?:\w+ (?:or |and )?)?(?:machines?|hosts?|computers?|vms?|pcs?|devices?|servers?|clients?)\b"
    r"|\bclient (?:machine|pc|host|side)\b|\b(?:from|on) (?:the|a|any) clients?\b",
    r"\bvon (?:außen|aussen|extern)\b|\b(?:außer|ausser)halb\b|\b(?:meine[mn]|vom|am) (?:laptop|pc|mac|rechner|notebook)\b|\banderen? rechner",
    r"\bl['’]ext[ée]rieur\b|\ben dehors du\b|\bhors du cluster\b|\bmon (?:pc|portable|ordinateur|laptop|poste)\b",
    r"\b(?:desde|de|por) (?:fuera|afuera|el exterior)\b|\bexternamente\b|\bmi (?:laptop|portátil|pc|ordenador|equipo)\b|\bred local\b",
    r"\bde fora\b|\bfora do cluster\b|\bmeu (?:laptop|notebook|pc|computador)\b|\brede local\b",
    r"外部(?! ?ip)|集群(?:之|以)?外|外网|局域网|其他(?:机器|主机|电脑)|(?:我|本地)的?(?:电脑|笔记本|浏览器)|浏览器|客户端|叢集外",
    r"外部から|外から|ラップトップ|ノート(?:PC|パソコン)|手元の|ブラウザ|クライアント|別の?(?:マシン|端末|PC)|他の(?:マシン|端末|PC|デバイス)",
    r"\bснаружи\b|\bизвне\b|\bвне кластера\b|\bноутбук\w*|\bс (?:моего |своего |домашнего )?(?:компьютера|компа|пк)\b|\bбраузер\w*"
    r"|\bс других (?:машин|хостов|компьютеров)",
    r"외부(?:에서|로부터)|클러스터 밖|노트북|내 PC|브라우저",
)
# Words with which a place inside is named, once the places outside are taken out of the text.
INSIDE = _any(
    r"\b(?:from|on|in|inside|within|at)\b(?: of)?(?: (?!port\b)[\w./-]+){0,4}? ?\b(?:nodes?|masters?|workers?|control[- ]?planes?)\b(?![- ]?(?:port|ip))"
    r"|\b(?:inside|within|in|from)(?: of)?(?: the| my| our)?(?: \w+)? cluster\b|\binternally\b",
    r"\b(?:vom?|vo[nm]|auf|aus|innerhalb|i[nm])\b.{0,25}\b(?:nodes?|knoten|master|workern?|cluster)\b",
    r"\b(?:depuis|sur|dans)\b.{0,25}\b(?:n(?:œ|oe)uds?|nodes?|master|workers?|cluster)\b|\b[àa] l['’]intérieur\b",
    r"\b(?:desde|en|dentro)\b.{0,25}\b(?:nodos?|nodes?|nós|master|workers?|cl[úu]ster)\b|\b(?:nos|dos) (?:nós|nodes)\b",
    r"(?:集群|叢集)(?:的)?内部?|节点(?:上|内|中|可以)|(?:各|每个|所有|任意)节点|master|worker",
    r"マスター|ワーカー|ノード(?:から|上|内|では|で)|クラスター?(?:の)?内",
    r"\bс (?:самих |самой |любой |мастер-?|worker-?)?(?:нод\w*|узл\w*|мастер\w*|воркер\w*)|\bвнутри кластера|\bизнутри\b|\bна нод\w+",
    r"(?:노드|마스터|워커)(?:에서|들)?|클러스터 내부?|내부에서",
)
NOW_IT_DOES = _any(r"\b(?:i am|i can|it does|it is|they do|they are)\b.{0,12}\b(?:from|on|in|inside|within)\b")
NOT_SO = _any(r"\b(?:(?:can)?not|nicht|pas|no|não|не|never|neither|nor|nie|jamais|nunca)\b|n['’]t\b")
CONNECTS = _any(
    r"\b(?:curl|telnet|browser|https?|connect\w*|access\w*|wget|nc|reach\w*|open|load|service|page|website)\b"
)
ROUTER = _any(r"\b(?:from|on|in)\b(?: \w+){0,3}? (?:router|firewall|gateway|mikrotik|opnsense|pfsense)\b")
# A thing's own place, which is not where anybody tests from.
ITS_PLACE = _any(
    r"\b(?:services?|svc|ingress|app\w*|deployments?|anything|everything)\b(?: \w+)? (?:in|inside|of|on|within) (?:the |my |a |our )?(?:\w+ ){0,2}cluster\b"
)
# A place that no list knows; an answer comes from the service, too.
SOMEWHERE = _any(
    r"\bfrom (?!(?:the |my |a |this |that )?(?:services?|svc|server|app\w*|it|ips?|lb|load|vip|address|backend|time|external|nginx|metallb|pods?)\b)\w",
    r"\b(?:vom|von) (?!au(?:ß|ss)en|extern)\w|\bdepuis \w|\bdesde \w",
)
POD = _any(r"\b(?:from|in|inside|within)\b(?: \w+){0,3}? (?:pods?|containers?)\b", r"(?:pod|容器)(?:内|中|里)")
# The service as people call it, where no place is named.
THING = _any(
    r"\bservices?\b|\bsvc\b|\bexternal[- ]?ips?\b|\blb\b|\bload[- ]?balancers?\b|\bvip\b|\bingress\b|\bexternal address\b|\b(?:the|public|metallb|assigned|lb)[- ]ip\b",
    r"\bdienst\b|\bservicio\b|\bserviço\b",
    r"サービス|外部 ?IP|服务|服務|外部ip|сервис\w*|서비스",
)
# What follows is so in another state than the present one.
CONDITION = _any(
    r"\b(?:if|when(?:ever)?|once|as soon as|unless)\b.{0,40}\b(?:chang|set\b|setting|add|remov|delet|restart|disabl|enabl|switch|us(?:e|ing)\b|turn|stop|scal|patch|drain|reboot|flush|replac|mov(?:e|ing)\b)",
)
# Words of a wish, or of another time.
ELSEWHEN = _any(
    r"\bafter (?!\d|a (?:few|while|couple))|\bbefore\b|\bpreviously\b|\bused to\b|\bwas (?:working|able|reachable|accessible)\b|\bworked before"
    r"|\byesterday\b|\bshould\b|(?<!as )\bexpect|\bin order to\b|\bso that\b|\bsupposed to\b|\bsolved\b|\bfixed\b|\bresolved\b|\bworkaround\b"
    r"|\bwould (?:like|expect|have|be)\b|\bfreshly\b|\bat first\b|\binitially\b|\bmomentarily\b",
    r"\bfrüher\b|\bvorher\b|\bnachdem\b|\bsollte\b|\bwenn ich\b.{0,40}\b(?:ändere|setze|neu starte|lösche)",
    r"\baprès avoir\b|\bavant\b|\bdevrait\b|\bdespués de\b|\bantes\b|\bdebería\b|\bdepois de\b|\bdeveria\b",
    r"之前|以后|之后|应该|删除|削除|希望|期待|以前は|すると、?元|はず|раньше|после|должен|должно|이전에|해야",
)
WISH = _any(
    r"\bwant|\bneed(?:s|ed)? to\b|\btrying to\b|\bhow (?:to|do|can|could|would)\b|\bwhy\b|\bgoal\b|\blet me know\b|\bplease\b|\bmake (?:it|them|this)\b"
)
# A host as what somebody gets to ("I can reach the master"), which is no service.
_WHOSE = r"(?:(?:the|my|our|all|any|each|every|other|both|physical|kubernetes|k8s|k3s|cluster|worker|master) )"
_HOSTS = r"(?:masters?|workers?|nodes?|control[- ]?planes?|hosts?|machines?|routers?|gateways?|rpis?|dashboard)"
OTHER_ADDRESS = _any(
    r"\bcluster[- ]?ips?\b|\bnode[- ]?ports?\b|\bpod[- ]?ips?\b|\bnode[- ]?ips?\b|\binternal ip|\blocalhost\b|\bport-?forward|\bdns\b|\bssh\b"
    r"|\bwebhooks?\b|\bapi[- ]?server\b|\bkubelet\b|\betcd\b|\b6443\b|\b3[0-2]\d{3}\b|\bimages?\b|\binternet\b|\bnmap\b|\btraceroute\b|\bkubectl\b|\bhelm\b"
    rf"|\b{_TRY}(?: in)? {_WHOSE}{{0,4}}{_HOSTS}\b(?![- ]?(?:port|ip))"
    r"|\bbgp (?:session|peer)|\b(?:each|one) other\b|节点ip|集群ip|クラスタ ?IP|ノードポート"
)
PING = _any(r"\bping(?:s|ed|ing|able|en)?\b|ping ?(?:不)?通|\bicmp\b|\bпинг\w*|핑")
ARP = _any(r"(?<![A-Za-z])arp(?:ing|s|ed)?(?![A-Za-z])")
NO_ARP = _any(
    r"\b(?:never|not|n['’]t|nor) arps?\b(?! (?:traffic|tables?|requests?|mode))",
    r"\b(?:not|never|n['’]t|nothing)\b[^,]{0,24}\barp (?:repl|respons|answer)",
)
ANSWERED = _any(
    r"\b(?:repl(?:y|ies|ied)|answers?|answered|responds?|responded|works?|working|fine)\b|正常|应答|\b(?:can|able to) arping\b"
)
ONLY = _any(
    r"\bonly\b|\bjust from\b|\bnur\b|\bseulement\b|\buniquement\b|\bsolo\b|\bsolamente\b|\bapenas\b|只能|仅|のみ|だけ|\bтолько\b"
)
CONTRAST = (
    r",? \b(?:but|however|while|whereas|although|though|yet|and|aber|jedoch|und|mais|et|pero|mas|y|e)\b |[;；]| - "
    r"|,?\s*(?:\bно\b|\bа\b)\s|但是?|然而|而(?!且)|却|(?<=[すたるだ])が、|けど、?|ですが、?|하지만|지만"
)
# What people call a capture, and what they see in one.
CAPTURE = _any(
    r"\btcpdumps?\b|\bwireshark\b|\btshark\b|\btermshark\b|\bpackets? captures?\b|\bpcap\b|\bsniff(?:ing|ed|er)?\b",
    r"\bmitschnitt\b|\bcaptures? (?:réseau|de red)\b|抓包|パケット(?:キャプチャ|ダンプ)|\bдамп\w*",
)
ARRIVES = _any(
    r"\b(?:arriv|receiv|reach|incom)\w*\b|\b(?:hit(?:s|ting)?|gets? to|comes? in|coming in|sees?|saw|shows?|gets)\b",
    r"\b(?:kommt|kommen|ankomm\w+|sehe|sieht)\b|\b(?:arrivent?|reçoi\w+|llegan?|recibe\w*)\b|收到|到达|看到|届(?:い|く)|приход\w+",
)
REQUEST = _any(
    r"(?<![a-z])syns?(?![a-z])(?![- /]?ack)|\b(?:packets?|traffic|requests?|connections?|nothing)\b",
    r"\b(?:pakete?|anfragen?|nichts)\b|\bpaquet(?:s|es)?\b|\bpacotes?\b|请求|数据包|流量|パケット|пакет\w*",
)
SYN_ACK = _any(r"\bsyn[- /]?acks?\b")
UNANSWERED = _any(
    r"\b(?:no|without(?: any?)?|never any?) (?:\w+ )?(?:repl(?:y|ies)|responses?|answers?)\b(?: packets?)?",
    r"(?:\b(?:can)?not|\bnever|n['’]t) (?:\w+ ){0,2}any (?:\w+ )?(?:repl(?:y|ies)|responses?|answers?)\b",
    r"(?:\b(?:not|never)|n['’]t) (?:\w+ )?(?:repl(?:y|ied|ies)|respond(?:ed|s)?|answer(?:ed|s)?)\b",
    r"\bkeine (?:\w+ )?antwort\w*|\b(?:sans|sin|sem) (?:réponse|respuesta|resposta)\b",
    r"(?:没有|未|无)(?:任何)?(?:得到|收到)?(?:回应|响应|应答|回复|返回)|応答(?:が|は)?(?:ない|ありません|なし)|\bнет ответ\w*",
)
# Where the packets of a capture are told to be seen, beside the places that tests are made from.
ON_NODE = _any(
    r"\b(?:reach\w*|hit(?:s|ting)?|gets? to|gets? in(?:to)?|arriv\w+ (?:at|on)|comes? (?:in )?(?:at|on|to)) (?:\w+ ){0,3}(?:nodes?|masters?|workers?)\b",
    r"\b(?:each|every|all|the|both) (?:\w+ )?(?:nodes?|masters?|workers?) (?:\w+ ){0,2}(?:receiv\w+|sees?|saw|gets?)\b",
    r"节点(?:上|能|都|可以)*(?:收到|看到)",
)
ARP_REQUEST = _any(r"\barp[- ](?:\w+ )?(?:requests?|quer(?:y|ies)|who-has)|\bwho-?has\b|arp ?请求|ARP ?リクエスト")
ARP_REPLY = _any(
    r"\barp[- ](?:\w+ )?(?:repl(?:y|ies)|responses?|answers?)|\b(?:repl(?:y|ies)|responses?|answers?) to (?:\w+ ){0,2}arp|\bis-at\b|arp ?(?:响应|应答|回复)|arp.{0,12}(?:得到|正确|正常).{0,4}响应"
)
NOTHING = _any(r"\b(?:no|nothing|none|without|keine?n?|nichts|aucun\w*|ning[uú]n\w*|nada)\b|没有|没|无|未|ない")
