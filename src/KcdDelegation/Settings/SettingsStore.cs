using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;
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
    private readonly ILogger _logger;
    private volatile KcdSettings _current;

    /// <summary>Settings that never change.</summary>
    /// <exception cref="OptionsValidationException">They are wrong; it lists everything that is.</exception>
    public SettingsStore(KcdOptions options, ILogger logger) => (_current, _subscriptions, _logger) = (Parse(options), [], logger);

    /// <summary>Settings that are made anew whenever a source says that they have changed.</summary>
    /// <exception cref="OptionsValidationException">They are wrong at the start.</exception>
    public SettingsStore(IOptionsFactory<KcdOptions> factory, IEnumerable<IOptionsChangeTokenSource<KcdOptions>> sources, ILoggerFactory loggerFactory)
    {
        _factory = factory;
        _logger = loggerFactory.CreateLogger(Log.Category);
        _current = Parse(factory.Create(Options.DefaultName));
        _subscriptions = [.. sources.Select(source => ChangeToken.OnChange(source.GetChangeToken, Reload))];
    }

    public KcdSettings Current => _current;

    /// <summary>Runs after new settings came into force; it must not throw.</summary>
    public Action<KcdSettings>? Changed { get; set; }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }

    private void Reload()
    {
        lock (_reload)
        {
            try
            {
                _current = Parse(_factory!.Create(Options.DefaultName));
            }
            // Whatever a bad edit makes the binder, a post-configuration or the parser throw: the reason is logged, and the service goes on.
            catch (Exception error)
            {
                foreach (var reason in error is OptionsValidationException invalid ? invalid.Failures : [error.Message])
                    Log.SettingsRejected(_logger, PrintableText.Of(reason));
                return;
            }
            Log.SettingsApplied(_logger, _current.Applications.Count);
            Changed?.Invoke(_current);
        }
    }

    private static KcdSettings Parse(KcdOptions options) => SettingsParser.TryParse(options, out var settings, out var errors)
        ? settings
        : throw new OptionsValidationException(Options.DefaultName, typeof(KcdOptions), errors);
}
