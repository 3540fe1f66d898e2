using KcdDelegation;
using KcdDelegation.AspNetCore.Answers;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the error answers of Kerberos constrained delegation to the pipeline.</summary>
public static class KcdApplicationBuilderExtensions
{
    /// <summary>Turns a <see cref="KcdException"/>, and a backend's 401 to the ticket, into answers: a page for browsers and problem
    /// details for programs.</summary>
    /// <remarks>Call it before the middleware that sends requests to backends. If a response has started, it is aborted.</remarks>
    /// <param name="app">The pipeline.</param>
    /// <exception cref="InvalidOperationException"><c>AddKcdAspNetCore</c> was not called.</exception>
    public static IApplicationBuilder UseKcdDelegation(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var answers = app.ApplicationServices.GetService<AnswerWriter>() ?? throw new InvalidOperationException(
            "The services of KcdDelegation.AspNetCore are not registered. Call builder.Services.AddKcdAspNetCore().");
        return app.Use(next => new ErrorAnswerMiddleware(next, answers).InvokeAsync);
    }
}
