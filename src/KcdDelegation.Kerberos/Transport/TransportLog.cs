using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The events of the transport to the KDCs, 21xx.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(2101, LogLevel.Debug, "The KDC {Kdc} of {Realm} answered in {Milliseconds} ms")]
    public static partial void KdcAnswered(ILogger logger, KdcEndpoint kdc, string realm, double milliseconds);

    [LoggerMessage(2102, LogLevel.Warning, "The KDC {Kdc} of {Realm} {Reason}; others are asked first until it answers again")]
    public static partial void KdcFailed(ILogger logger, KdcEndpoint kdc, string realm, string reason);

    [LoggerMessage(2103, LogLevel.Debug, "The KDC {Kdc} of {Realm} failed again: it {Reason}")]
    public static partial void KdcStillFails(ILogger logger, KdcEndpoint kdc, string realm, string reason);

    [LoggerMessage(2104, LogLevel.Information, "The KDC {Kdc} of {Realm} answers again")]
    public static partial void KdcIsBack(ILogger logger, KdcEndpoint kdc, string realm);

    [LoggerMessage(2105, LogLevel.Debug, "The KDC {Kdc} did not answer over UDP, TCP is used")]
    public static partial void KdcSilentOverUdp(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2106, LogLevel.Debug, "The answer of {Kdc} is too big for UDP, TCP is used")]
    public static partial void KdcAnswerTooBigForUdp(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2107, LogLevel.Debug, "A datagram from {Kdc} was ignored: it is not the answer to the request")]
    public static partial void KdcReplyRejected(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2108, LogLevel.Debug, "DNS names {Count} KDCs of {Realm}")]
    public static partial void KdcsFoundInDns(ILogger logger, int count, string realm);

    [LoggerMessage(2109, LogLevel.Warning, "DNS could not be asked for the KDCs of {Realm}, those found before stay in use: the name server {Reason}")]
    public static partial void DnsFailed(ILogger logger, string realm, string reason);

    [LoggerMessage(2110, LogLevel.Warning, "{Path} cannot be used beyond what was read of it: {Reason}")]
    public static partial void Krb5ConfigurationIgnored(ILogger logger, string path, string reason);
}
