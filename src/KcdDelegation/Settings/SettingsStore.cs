using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace KcdDelegation.Settings;

/// <summary>Holds the settings in force and follows the configuration. A change that is wrong is logged, and the last good settings stay:
/// an <see cref="IOptionsMonitor{TOptions}"/> would throw at every read after a bad edit.</summary>
internal sealed class SettingsStore : IDisposable
{
    private readonly Lock _reload = new();
    private readonly IOptionsFactory<KcdOptions>? _factory;
    private readonly IDisposable[] _subscriptions;
    private readonly ILogger _logger = NullLogger.Instance;
    private volatile KcdSettings _current;
    private Action<KcdSettings>? _follower;

    /// <summary>Settings that never change.</summary>
    /// <exception cref="OptionsValidationException">They are wrong; it lists everything that is.</exception>
    public SettingsStore(KcdOptions options) => (_current, _subscriptions) = (Parse(options), []);

    /// <summary>Settings that are made anew whenever a source says that they have changed.</summary>
    /// <exception cref="OptionsValidationException">They are wrong at the start.</exception>
    public SettingsStore(
        IOptionsFactory<KcdOptions> factory, IEnumerable<IOptionsChangeTokenSource<KcdOptions>> sources, ILoggerFactory loggerFactory)
    {
        _factory = factory;
        _logger = loggerFactory.CreateLogger(Log.Category);
        _current = Parse(factory.Create(Options.DefaultName));
        _subscriptions = [.. sources.Select(source => ChangeToken.OnChange(source.GetChangeToken, Reload))];
    }

    public KcdSettings Current => _current;

    /// <summary>Tells the settings, now and before every change of them. One follower; it must not throw.</summary>
    public void Follow(Action<KcdSettings> follower)
    {
        lock (_reload)
        {
            _follower = follower;
            follower(_current);
        }
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }

    private void Reload()
    {
        lock (_reload)
        {
            KcdSettings changed;
            try
            {
                changed = Parse(_factory!.Create(Options.DefaultName));
            }
            // Whatever a bad edit makes the binder, a post-configuration or the parser throw: the reason is logged, and the service goes
            // on.
            catch (Exception error)
            {
                foreach (var reason in error is OptionsValidationException invalid ? invalid.Failures : [error.Message])
                    Log.SettingsRejected(_logger, PrintableText.From(reason));
                return;
            }
            // First, so that whoever reads the new settings finds the follower ready for them.
            _follower?.Invoke(changed);
            _current = changed;
            Log.SettingsApplied(_logger, changed.Applications.Count);
        }
    }

    private static KcdSettings Parse(KcdOptions options) => SettingsParser.TryParse(options, out var settings, out var errors)
        ? settings
        : throw new OptionsValidationException(Options.DefaultName, typeof(KcdOptions), errors);
}
