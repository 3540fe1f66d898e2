using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The log events of the transport to the KDCs, 21xx.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(2101, LogLevel.Debug, "The KDC {Kdc} of {Realm} answered in {Milliseconds} ms")]
    public static partial void KdcAnswered(ILogger logger, KdcEndpoint kdc, string realm, double milliseconds);

    [LoggerMessage(2102, LogLevel.Warning, "The KDC {Kdc} of {Realm} {Reason}. Other KDCs are asked first until it answers again")]
    public static partial void KdcFailed(ILogger logger, KdcEndpoint kdc, string realm, string reason);

    [LoggerMessage(2103, LogLevel.Debug, "The KDC {Kdc} of {Realm} failed again: it {Reason}")]
    public static partial void KdcStillFails(ILogger logger, KdcEndpoint kdc, string realm, string reason);

    [LoggerMessage(2104, LogLevel.Information, "The KDC {Kdc} of {Realm} answers again")]
    public static partial void KdcRecovered(ILogger logger, KdcEndpoint kdc, string realm);

    [LoggerMessage(2105, LogLevel.Debug, "The KDC {Kdc} did not answer over UDP. TCP is used")]
    public static partial void KdcSilentOverUdp(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2106, LogLevel.Debug, "The answer of {Kdc} is too large for UDP. TCP is used")]
    public static partial void KdcAnswerTooLargeForUdp(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2107, LogLevel.Debug, "A datagram from {Kdc} was ignored, since it does not answer the request")]
    public static partial void DatagramIgnored(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2108, LogLevel.Debug, "DNS names {Count} KDCs of {Realm}")]
    public static partial void KdcsFoundInDns(ILogger logger, int count, string realm);

    [LoggerMessage(2109, LogLevel.Warning,
        "The DNS query for the KDCs of {Realm} failed, so the KDCs found before stay in use: the name server {Reason}")]
    public static partial void DnsFailed(ILogger logger, string realm, string reason);

    [LoggerMessage(2110, LogLevel.Warning, "Reading {Path} stopped: {Reason}")]
    public static partial void Krb5ConfigurationIgnored(ILogger logger, string path, string reason);

    [LoggerMessage(2111, LogLevel.Warning,
        "{Path}, line {Line}: the value '{Value}' of {Name} for the realm {Realm} is ignored, since it is {Reason}")]
    public static partial void Krb5KdcIgnored(
        ILogger logger, string path, int line, string name, string value, string realm, string reason);

    [LoggerMessage(2115, LogLevel.Warning,
        "{Path}, line {Line}: the realm {Realm} is ignored, since its value '{Value}' is not an opening brace at the end of the line")]
    public static partial void Krb5RealmIgnored(ILogger logger, string path, int line, string realm, string value);

    [LoggerMessage(2116, LogLevel.Warning, "{Path} has further lines that are ignored; number of lines: {Count}")]
    public static partial void Krb5WarningsOmitted(ILogger logger, string path, int count);

    [LoggerMessage(2113, LogLevel.Debug, "The KDC {Kdc} {Reason}. TCP is used")]
    public static partial void UdpFailed(ILogger logger, KdcEndpoint kdc, string reason);

    [LoggerMessage(2114, LogLevel.Information,
        "The reply of the KDC {Kdc} of {Realm} was rejected. The exception of the request has the reason")]
    public static partial void KdcReplyRejected(ILogger logger, KdcEndpoint kdc, string realm);

    [LoggerMessage(2112, LogLevel.Warning, "{Source} lists {Count} KDCs of {Realm}; the first {Maximum} are used")]
    public static partial void KdcsIgnored(ILogger logger, int count, string realm, int maximum, string source);
}
