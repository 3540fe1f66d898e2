using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Http;

/// <summary>The common services of all connections of one <see cref="KcdHandler"/>: the factory of their handlers, the log, the metrics
/// and the certificate. Thread-safe.</summary>
internal sealed class ConnectionServices(SocketsHttpHandlers handlers, string application, ILogger logger)
{
    private volatile CertificateBinding? _lastBinding;
    private volatile bool _sharingHasEnded;
    private volatile bool _backendHasAnswered;
    private int _unboundWasLogged;

    /// <summary>Gets the name of the application.</summary>
    public string Application => application;

    public ILogger Logger => logger;

    public ConnectionMetrics Metrics { get; } = new(application);

    /// <summary>Gets the number of connections that a handler of the factory opens at most.</summary>
    public int MaxConnectionsPerServer => handlers.MaxConnectionsPerServer;

    /// <inheritdoc cref="SocketsHttpHandlers.IdleLife"/>
    public TimeSpan IdleLife => handlers.IdleLife;

    /// <summary>Gets whether sharing has ended for the lifetime of the handler, whatever the settings say, because the backend tied a
    /// connection to its user.</summary>
    public bool SharingHasEnded => _sharingHasEnded;

    /// <summary>Gets or sets whether a request of any user has been answered, so that the backend accepts HTTP/1.1.</summary>
    public bool BackendHasAnswered
    {
        get => _backendHasAnswered;
        set
        {
            // The field is read by all requests, so it is written once.
            if (_backendHasAnswered != value)
                _backendHasAnswered = value;
        }
    }

    public SocketsHttpHandler CreateHandler() => handlers.Create();

    public void EndSharing()
    {
        if (!Interlocked.Exchange(ref _sharingHasEnded, true))
            Log.SharingEnded(logger, application);
    }

    /// <summary>Returns the binding of a certificate. Connections that present the same certificate share one object.</summary>
    public CertificateBinding GetBinding(X509Certificate certificate)
    {
        var raw = certificate.GetRawCertData();
        if (_lastBinding is { } last && last.Certificate.AsSpan().SequenceEqual(raw))
            return last;
        using var copy = X509CertificateLoader.LoadCertificate(raw);
        return _lastBinding = new CertificateBinding(raw, TlsServerEndPoint.CreateApplicationData(copy), copy.SignatureAlgorithm.Value);
    }

    /// <summary>Logs once that tickets are not bound to the connection, because no binding is defined for the certificate.</summary>
    public void ReportUnbound(string origin, CertificateBinding binding)
    {
        if (Interlocked.Exchange(ref _unboundWasLogged, 1) == 0)
            Log.ChannelBindingUndefined(logger, application, origin, binding.Algorithm);
    }
}

/// <summary>A certificate of the backend and what a ticket needs to be bound to it.</summary>
/// <param name="Certificate">The certificate in DER.</param>
/// <param name="ApplicationData">The channel binding; empty if none is defined for the certificate.</param>
/// <param name="Algorithm">The certificate's signature algorithm, an object identifier.</param>
internal sealed record CertificateBinding(byte[] Certificate, ReadOnlyMemory<byte> ApplicationData, string? Algorithm);
