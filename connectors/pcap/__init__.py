"""The door for packet captures of tests and labs: S1AP with NAS, and MAP, as records (docs/doors/pcap.md).

    capture.py     pcap and pcapng files -> frames
    links.py       frames -> SCTP packets, MTP3 or SCCP messages
    sctp.py        SCTP packets -> messages of the protocols above, whole and once
    s1ap.py        S1AP messages -> what of them is asked here
    nas.py         NAS messages inside of them, where they are not ciphered
    handsets.py    whose signaling it is: tables of identities, all bounded
    attachments.py procedures of the S1 interface, from request to outcome -> records
    ss7.py         M3UA, M2PA, MTP3, SCCP -> TCAP
    tcap.py        TCAP dialogues with MAP -> records
    sms.py         numbers and lengths out of SMS TPDUs
    decoder.py     a frame in, records out
    records.py     a file in, events out

The protocols are decoded by pycrate, an optional extra: `pip install 'touchpoint[pcap]'`. It is imported when
the first message of its kind is met (`library.py`): that takes seconds.
"""
