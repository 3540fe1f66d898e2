using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The KDCs that the system's krb5.conf lists. The file is read again now and then, as the programs of the system do at each start.</summary>
internal sealed class Krb5ConfigurationKdcs(IReadOnlyList<string> paths, TimeProvider time, ILogger logger) : IKdcLocator
{
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private Krb5Configuration? _configuration;
    private long _read;

    public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_configuration is null || time.GetElapsedTime(_read) >= ReadAgainAfter)
            {
                _configuration = Krb5Configuration.Load(paths, logger);
                _read = time.GetTimestamp();
            }
            return new(_configuration.GetKdcs(realm));
        }
    }
}
